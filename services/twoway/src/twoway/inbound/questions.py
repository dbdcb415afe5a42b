"""Every statement about the open questions of double opt-ins."""

from collections.abc import Collection
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import bulk
from twoway.inbound.opting_in import Questions
from twoway.keywords.tables import OptInQuestionRow

_REPLACE = bulk.overwriting(OptInQuestionRow, "application", "keeper", "source_address")
_END = """
DELETE FROM opt_in_questions q USING unnest($2::text[], $3::text[]) AS ended (keeper, source)
WHERE q.application = $1 AND q.keeper = ended.keeper AND q.source_address = ended.source
"""


async def of(
    session: AsyncSession, application: str, sources: Collection[str]
) -> tuple[OptInQuestionRow, ...]:
    """The questions to these people that nobody has ended; some may be too old."""
    row = OptInQuestionRow
    query = select(row).where(row.application == application, col(row.source_address).in_(sources))
    return tuple((await session.exec(query)).all())


async def write(connection: Any, application: str, questions: Questions) -> None:
    """Keep what has become of questions. The caller holds the application's lock."""
    if questions.ended:
        keepers, sources = zip(*questions.ended, strict=True)
        await connection.execute(_END, application, list(keepers), list(sources))
    await bulk.insert(connection, list(questions.asked.values()), conflict=_REPLACE)
