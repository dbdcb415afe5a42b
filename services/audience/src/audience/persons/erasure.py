"""What this service erases of a person beside endpoints and attributes, which went at once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from heliograph import subjects
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from mesh.eventing.orders import Kept, Orders, Step, reporting
from mesh.objects.opening import Objects
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from nats.js import JetStreamContext
from sqlalchemy import text

from audience.persons import hashes
from audience.persons.exported import Exported

BUS_KEEPS: Final = timedelta(days=7)

ANSWERS: Final = "heliograph.audience.v1.CreateEndpointRequest"
"""The requests whose stored answers hold an endpoint."""

_ANSWERS: Final = """
DELETE FROM request_ids WHERE application = :application AND method = :method
    AND create_time <= :until AND EXISTS (
        SELECT FROM unnest(CAST(:needles AS bytea[])) AS needle
        WHERE position(needle IN response) > 0)
"""
_FAILURES: Final = """
UPDATE import_failure SET description = ''
WHERE application = :application AND description ~ :words
"""
_LISTED_ENDPOINTS: Final = """
DELETE FROM imported_endpoint
WHERE application = :application AND endpoint = ANY(CAST(:endpoints AS text[]))
"""
_LISTED_USERS: Final = """
DELETE FROM imported_user WHERE application = :application AND user_id = :user_id
"""
_OPT_OUTS: Final = text(
    "SELECT count(*) FROM address_opt_out"
    " WHERE application = :application AND address = ANY(CAST(:addresses AS text[]))"
)
_REMEMBERED: Final = text(
    "SELECT EXISTS (SELECT FROM erased_person"
    " WHERE application = :application AND hash = ANY(CAST(:hashes AS bytea[])))"
)
_UPLOADS: Final = text(
    "SELECT count(DISTINCT import_job) FROM import_block WHERE application = :application"
)


def orders_of(
    sessions: Sessions,
    js: JetStreamContext,
    export_folder: str = "",
    objects: Objects | None = None,
) -> Orders:
    """The orders of this service. What was being written when one was given had to wait for it."""
    exported = Exported(sessions, export_folder, objects)
    keeping = Keeping(sessions)
    # What may have to wait comes first: the others look through whole tables.
    steps = [exported.erase, *(_erasing(sessions, *one) for one in _STATEMENTS)]

    async def kept(order: OrderRow) -> list[Kept]:
        return await keeping.of(order) + await exported.keeping(order)

    answer = reporting(js, "audience", ErasureReport)
    return Orders(sessions, steps, kept, answer, settle_seconds=0.0)


class Keeping:
    """What is kept here of a person, and why."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def of(self, order: OrderRow) -> list[Kept]:
        """As it is now."""
        event = UserErased.FromString(order.subject)
        values = {"application": order.application}
        async with self._sessions() as session:
            connection = await session.connection()
            opt_outs = await connection.execute(
                _OPT_OUTS, {**values, "addresses": list(event.addresses)}
            )
            uploads = await connection.execute(_UPLOADS, values)
            kept = [
                Kept("operations", "this proof names the user"),
                Kept(
                    f"stream {subjects.AUDIENCE.name}",
                    "the bus keeps what was announced of endpoints until its age",
                    until=order.hear_time + BUS_KEEPS,
                ),
            ]
            own = hashes.of_user(order.application, event.user_id)
            remembered = await connection.execute(_REMEMBERED, {**values, "hashes": own})
            if remembered.scalar_one():
                why = "keyed hashes of user id and addresses keep files from bringing them back"
                kept.append(Kept("erased_person", why))
            if rows := opt_outs.scalar_one():
                kept.append(Kept("address_opt_out", "an opt-out protects the person", rows))
            if rows := uploads.scalar_one():
                why = "uploads that are being imported, until their jobs end; rows are refused"
                kept.append(Kept("import_block", why, rows))
        return kept


def _erasing(
    sessions: Sessions, what: str, statement: str, values: Callable[[OrderRow], dict[str, Any]]
) -> Step:
    async def step(order: OrderRow) -> int:
        return await orders.erase(sessions, order, what, statement, values(order))

    return step


def _answers(order: OrderRow) -> dict[str, Any]:
    return {"method": ANSWERS, "until": order.hear_time, "needles": _needles(_event(order))}


def _words(order: OrderRow) -> dict[str, Any]:
    """Whole words: a user `1` is not in `+41`."""
    event = _event(order)
    names = [event.user_id, *event.addresses, *_endpoints(event)]
    one = "|".join(sorted(re.escape(name) for name in names if name))
    return {"words": f"(^|[^[:alnum:]])({one})($|[^[:alnum:]])"}


def _listed(order: OrderRow) -> dict[str, Any]:
    return {"endpoints": _endpoints(_event(order))}


def _user(order: OrderRow) -> dict[str, Any]:
    return {"user_id": _event(order).user_id}


def _event(order: OrderRow) -> UserErased:
    return UserErased.FromString(order.subject)


def _endpoints(event: UserErased) -> list[str]:
    return [name.split("/", 3)[3] for name in event.endpoints]


def _needles(event: UserErased) -> list[bytes]:
    """How an answer of `CreateEndpoint` begins with each name: so `e1` is not found in `e10`."""
    return [Endpoint(name=name).SerializeToString() for name in event.endpoints]


_STATEMENTS: Final = (
    ("request_ids", _ANSWERS, _answers),
    ("import_failure", _FAILURES, _words),
    ("imported_endpoint", _LISTED_ENDPOINTS, _listed),
    ("imported_user", _LISTED_USERS, _user),
)
