"""Any exception of a servicer as an Error: ours as they are, drivers' by what they mean.

No word of a driver leaves the process; the log has it.
"""

import grpc
import nats.errors
from mesh.errors import Aborted, Error, Internal, InvalidArgument, Unavailable
from mesh.rpc import status
from mesh.store import failures
from sqlalchemy.exc import DBAPIError

# SQLSTATE of PostgreSQL: rollback (serialisation, deadlock), lock not available.
_CONFLICTS = ("40", "55P03")

# SQLSTATE of PostgreSQL: U+0000 in a text, or its escape in JSON; it stores neither.
_UNSTORABLE = ("22021", "22P05")

_AWAY = (
    ConnectionError,
    TimeoutError,
    nats.errors.ConnectionClosedError,
    nats.errors.NoRespondersError,
    nats.errors.NoServersError,
)


def as_error(failure: Exception) -> Error:
    """The error to answer with. INTERNAL means that nobody foresaw it, and it must be logged."""
    if isinstance(failure, Error):
        return failure
    if isinstance(failure, grpc.aio.AioRpcError):
        return status.from_rpc_error(failure)
    if _sqlstate(failure).startswith(_CONFLICTS):
        return Aborted("TRANSACTION_CONFLICT", "a concurrent change won; try again")
    if _sqlstate(failure) in _UNSTORABLE:
        return InvalidArgument("TEXT_INVALID", "a text holds U+0000, which cannot be stored")
    if isinstance(failure, _AWAY) or _database_is_away(failure):
        return Unavailable("DEPENDENCY_UNAVAILABLE", "a service this call needs is not available")
    return Internal("INTERNAL", "internal error")


def _sqlstate(failure: Exception) -> str:
    raised = failure.orig if isinstance(failure, DBAPIError) else failure
    return str(getattr(raised, "sqlstate", None) or "")


def _database_is_away(failure: Exception) -> bool:
    """A file that cannot be opened is transient to no one, though it is an OSError."""
    return failures.is_transient(failure) and not isinstance(failure, OSError)
