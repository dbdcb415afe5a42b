"""Lines of an import become opt-outs, a record and announcements, in the caller's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from heliograph.twoway.v1 import events_pb2, opt_out_list_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.store import engine
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.consent import render, writing
from twoway.consent.changes import IMPORT, OPTED_OUT
from twoway.imports import jobs, refusals
from twoway.imports.reading import Line
from twoway.imports.tables import OptedOutImportRow
from twoway.tables import ConsentChange

# Who is on the list already stays as they are. The list says since when an opt-out holds, the
# record when it was imported: whoever compares that with what was before must find this later.
_TAKE = """
WITH placed AS (
    INSERT INTO opted_out_numbers (
        application, opt_out_list, phone_number, source, text, origination_identity,
        inbound_message, caller, comment, confirmed, opt_out_time
    )
    SELECT $1, $2, number, $3, '', '', '', $4, $5, confirmed, opt_out_time
    FROM unnest($7::text[], $8::boolean[], $9::timestamptz[])
        AS line (number, confirmed, opt_out_time)
    ON CONFLICT DO NOTHING
    RETURNING phone_number
)
INSERT INTO consent_changes (
    application, opt_out_list, phone_number, source, text, origination_identity, inbound_message,
    caller, comment, change_time, kind, consent_change
)
SELECT $1, $2, phone_number, $3, '', '', '', $4, $5, $6, $10,
    replace(gen_random_uuid()::text, '-', '')
FROM placed
RETURNING consent_change, phone_number
"""


async def take(
    session: AsyncSession, row: OptedOutImportRow, part: Sequence[Line]
) -> pb.ImportOptedOutNumbersResponse:
    """Opt out who is not yet; what the import has come to.

    The caller holds the application's lock.
    """
    now = clock.now()
    # Of two lines about the same number the first counts.
    wanted = {line.number: line for line in reversed(part) if not line.refusal}
    connection = await engine.raw(session)
    placed = await connection.fetch(_TAKE, *_arguments(row, wanted.values(), now))
    ended = [((row.opt_out_list, number), now) for _, number in placed]
    await writing.end_questions(connection, row.application, ended)
    so_far = jobs.outcome(row)
    refused = [line for line in part if line.refusal]
    key = (row.application, row.operation)
    await refusals.keep(connection, key, so_far.refused_count, refused, now)
    changes = _changes(row, placed, now)
    writing.announce(session, row.application, events_pb2.NumberOptedOut, changes)
    return _count(so_far, len(part), refused, len(placed))


def _arguments(row: OptedOutImportRow, lines: Iterable[Line], now: datetime) -> Iterator[Any]:
    columns = [
        (line.number, line.end_user_opted_out, min(line.opt_out_time or now, now)) for line in lines
    ]
    yield from (row.application, row.opt_out_list, IMPORT, row.caller, row.comment, now)
    yield from ([column[position] for column in columns] for position in range(3))
    yield OPTED_OUT


def _changes(
    row: OptedOutImportRow, placed: Iterable[tuple[str, str]], now: datetime
) -> Iterator[opt_out_list_pb2.ConsentChange]:
    """The entries of the record, which differ in whom they are about."""
    pattern = render.consent_change(
        ConsentChange(
            application=row.application,
            consent_change="",
            opt_out_list=row.opt_out_list,
            phone_number="",
            kind=OPTED_OUT,
            source=IMPORT,
            caller=row.caller,
            comment=row.comment,
            change_time=now,
        )
    )
    for consent_change, number in placed:
        change = opt_out_list_pb2.ConsentChange()
        change.CopyFrom(pattern)
        change.name = names.consent_change(row.application, consent_change)
        change.destination_address = number
        yield change


def _count(
    so_far: pb.ImportOptedOutNumbersResponse, read: int, refused: Sequence[Line], placed: int
) -> pb.ImportOptedOutNumbersResponse:
    so_far.read_count += read
    so_far.opted_out_count += placed
    so_far.refused_count += len(refused)
    so_far.present_count += read - len(refused) - placed
    shown = refused[: refusals.SHOWN_MAX - len(so_far.refusals)]
    so_far.refusals.extend(map(refusals.render, shown))
    return so_far
