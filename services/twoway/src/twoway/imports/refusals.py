"""The lines that imports refused: kept with the lines that they took, and read page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.aip.works import Key
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import bulk
from twoway.imports.reading import Line
from twoway.imports.tables import OptedOutImportRefusal, OptedOutImportRefusalRow

KEPT_MAX: Final = 100_000
"""Of one import: a file with more has one thing wrong with it, and not so many."""

SHOWN_MAX: Final = 1_000
"""In the answer of an import."""

Refusal = pb.ImportOptedOutNumbersResponse.Refusal


def render(one: Line) -> "Refusal":
    """A refused line as clients read it."""
    assert one.refusal is not None
    why = one.refusal
    return Refusal(line=one.line, reason=why.reason, field=why.field, description=why.description)


async def keep(
    connection: Any, key: Key, kept: int, refused: Sequence[Line], now: datetime
) -> None:
    """Keep lines beside those that the import has refused before, as far as there is room."""
    rows = [
        OptedOutImportRefusal(
            application=key[0],
            operation=key[1],
            line=one.line,
            field=one.refusal.field,
            reason=one.refusal.reason,
            description=one.refusal.description,
            create_time=now,
        )
        for one in refused[: max(KEPT_MAX - kept, 0)]
        if one.refusal
    ]
    await bulk.insert(connection, rows)


async def page(session: AsyncSession, key: Key, after: int, limit: int) -> Sequence["Refusal"]:
    """The next refused lines of an import."""
    row = OptedOutImportRefusalRow
    query = select(row).where(
        row.application == key[0], row.operation == key[1], col(row.line) > after
    )
    found = (await session.exec(query.order_by(col(row.line)).limit(limit))).all()
    return [
        Refusal(line=one.line, reason=one.reason, field=one.field, description=one.description)
        for one in found
    ]
