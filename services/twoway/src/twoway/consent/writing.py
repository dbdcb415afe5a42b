"""Changes of consent become rows, a record and announcements, all in the caller's transaction."""

from collections.abc import Iterator, Sequence

from heliograph.twoway.v1 import events_pb2
from mesh.eventing import outbox
from mesh.store import engine
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import bulk
from twoway.consent import render
from twoway.consent.changes import OPTED_OUT, Changes
from twoway.tables import ConsentChangeRow, OptedOutNumberRow

ANNOUNCED_MAX = 500
"""Changes in one bus message."""

_REMOVE = """
DELETE FROM opted_out_numbers USING unnest($2::text[], $3::text[]) AS gone (opt_out_list, number)
WHERE application = $1 AND opted_out_numbers.opt_out_list = gone.opt_out_list
    AND phone_number = gone.number
"""
_REPLACE = bulk.overwriting(OptedOutNumberRow, "application", "opt_out_list", "phone_number")


async def write(session: AsyncSession, changes: Changes) -> None:
    """Write the changes and announce them. The caller holds the application's lock."""
    if not (changes.on or changes.off):
        return
    connection = await engine.raw(session)
    await bulk.insert(connection, list(changes.on.values()), conflict=_REPLACE)
    if changes.off:
        lists, numbers = zip(*changes.off, strict=True)
        await connection.execute(_REMOVE, changes.application, list(lists), list(numbers))
    await bulk.insert(connection, changes.record)
    _announce(session, changes)


def _announce(session: AsyncSession, changes: Changes) -> None:
    """Runs of the same kind together, so that their order stays."""
    for run in _runs(changes.record):
        kind = events_pb2.NumberOptedOut if run[0].kind == OPTED_OUT else events_pb2.NumberOptedIn
        event = kind(application=changes.application, changes=map(render.consent_change, run))
        # The first change's id is the event's: an event that is published again is the same one.
        outbox.publish(session, event, changes.application, event_id=run[0].consent_change)


def _runs(record: Sequence[ConsentChangeRow]) -> Iterator[Sequence[ConsentChangeRow]]:
    start = 0
    for position in range(1, len(record) + 1):
        ended = position == len(record) or record[position].kind != record[start].kind
        if ended or position - start == ANNOUNCED_MAX:
            yield record[start:position]
            start = position
