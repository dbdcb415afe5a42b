"""What an exception of a handler means for its message."""

import asyncpg
import pytest
from google.protobuf.message import DecodeError
from mesh import errors
from mesh.eventing import fates
from mesh.eventing.delivery import Later
from mesh.eventing.fates import Fate
from nats.errors import NoServersError


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (Later(5), Fate.LATER),
        (errors.Unavailable("AWAY", "away"), Fate.WAIT),
        (errors.Aborted("CONFLICT", "conflict"), Fate.WAIT),
        (errors.DeadlineExceeded("LATE", "late"), Fate.WAIT),
        (errors.ResourceExhausted("THROTTLED", "throttled"), Fate.WAIT),
        (errors.Unauthenticated("TOKEN_EXPIRED", "expired"), Fate.WAIT),
        (ConnectionRefusedError(), Fate.WAIT),
        (TimeoutError(), Fate.WAIT),
        (asyncpg.AdminShutdownError(), Fate.WAIT),
        (asyncpg.SerializationError(), Fate.WAIT),
        (asyncpg.TooManyConnectionsError(), Fate.WAIT),
        (asyncpg.InterfaceError("connection is closed"), Fate.WAIT),
        (NoServersError(), Fate.WAIT),
        (errors.Internal("BROKEN", "broken"), Fate.RETRY),
        (KeyError("name"), Fate.RETRY),
        (asyncpg.UniqueViolationError(), Fate.RETRY),
        (errors.InvalidArgument("MALFORMED", "malformed"), Fate.DEAD),
        (errors.NotFound("GONE", "gone"), Fate.DEAD),
        (errors.FailedPrecondition("STATE", "state"), Fate.DEAD),
        (errors.PermissionDenied("FOREIGN", "foreign"), Fate.DEAD),
        (DecodeError(), Fate.DEAD),
    ],
    ids=repr,
)
def test_every_failure_has_its_fate(error: Exception, fate: Fate) -> None:
    assert fates.judge(error) is fate
