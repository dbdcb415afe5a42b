"""Changes of consent become rows, a record and announcements, all in the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from heliograph.twoway.v1 import events_pb2, opt_out_list_pb2
from mesh.eventing import outbox
from mesh.store import engine
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import bulk, clock, names
from twoway.consent import render
from twoway.consent.changes import OPTED_OUT, Changes, Person
from twoway.parcels import parcels
from twoway.tables import OptedOutNumber, OptOutListRow

_REMOVE = """
DELETE FROM opted_out_numbers USING unnest($2::text[], $3::text[]) AS gone (opt_out_list, number)
WHERE application = $1 AND opted_out_numbers.opt_out_list = gone.opt_out_list
    AND phone_number = gone.number
"""
# Whoever goes on a list is not opted in any more by a yes to what they were asked before.
_END_QUESTIONS = """
DELETE FROM opt_in_questions q
USING unnest($2::text[], $3::text[], $4::timestamptz[]) AS gone (opt_out_list, number, time)
WHERE q.application = $1 AND q.opt_out_list = gone.opt_out_list
    AND q.source_address = gone.number AND q.ask_time <= gone.time
"""
_REPLACE = bulk.overwriting(OptedOutNumber, "application", "opt_out_list", "phone_number")


async def write(session: AsyncSession, changes: Changes) -> None:
    """Write the changes, announce them, and end what who opts out was asked. The caller holds the
    application's lock."""
    if not (changes.on or changes.off):
        return
    connection = await engine.raw(session)
    await keep(connection, session, changes)
    if changes.on:
        ended = [(person, row.opt_out_time) for person, row in changes.on.items()]
        await end_questions(connection, changes.application, ended)


async def keep(connection: Any, announcing: outbox.Announcing, changes: Changes) -> None:
    """Write the changes and announce them. The caller holds the application's lock, and knows which
    questions of double opt-ins end."""
    if changes.on:
        await bulk.insert(connection, list(changes.on.values()), conflict=_REPLACE)
    if changes.off:
        lists, numbers = zip(*changes.off, strict=True)
        await connection.execute(_REMOVE, changes.application, list(lists), list(numbers))
    await bulk.insert(connection, changes.record)
    _announce(announcing, changes)


async def end_questions(
    connection: Any, application: str, opted_out: Iterable[tuple[Person, datetime]]
) -> None:
    """Whoever went on a list then was asked in vain, before, whether they want to be written to."""
    columns = [(*person, time) for person, time in opted_out]
    lists, numbers, times = ([column[at] for column in columns] for at in range(3))
    await connection.execute(_END_QUESTIONS, application, lists, numbers, times)


def announce(
    announcing: outbox.Announcing,
    application: str,
    event_type: type[events_pb2.NumberOptedOut] | type[events_pb2.NumberOptedIn],
    entries: Iterable[opt_out_list_pb2.ConsentChange],
) -> None:
    """Tell of entries of the record, in sets that fit on the bus."""
    for parcel in parcels(entries):
        event = event_type(application=application, changes=parcel)
        # The first change's name is the event's: published again, it is the same event.
        outbox.publish(announcing, event, application, event_id=parcel[0].name)


def announce_deleted(session: AsyncSession, row: OptOutListRow) -> None:
    """A list is gone with everybody on it. The caller holds the application's lock."""
    event = events_pb2.OptOutListDeleted(
        application=row.application,
        opt_out_list=names.opt_out_list(row.application, row.opt_out_list),
        delete_time=clock.stamp(clock.now()),
    )
    outbox.publish(session, event, row.application)


def _announce(announcing: outbox.Announcing, changes: Changes) -> None:
    """Changes of one kind that follow each other together, so that their order stays."""
    for kind, run in groupby(changes.record, key=lambda change: change.kind):
        event_type = events_pb2.NumberOptedOut if kind == OPTED_OUT else events_pb2.NumberOptedIn
        announce(announcing, changes.application, event_type, map(render.consent_change, run))
