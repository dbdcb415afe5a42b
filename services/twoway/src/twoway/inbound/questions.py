"""Every statement about the open questions of double opt-ins."""

from collections.abc import Collection
from typing import Any

from twoway import bulk
from twoway.inbound.opting_in import Questions
from twoway.keywords.tables import OptInQuestionRow

_REPLACE = bulk.overwriting(OptInQuestionRow, "application", "keeper", "source_address")
_OF = """
SELECT q.* FROM unnest($2::text[]) AS asked (source_address)
CROSS JOIN LATERAL (
    SELECT * FROM opt_in_questions
    WHERE application = $1 AND source_address = asked.source_address
    OFFSET 0
) AS q
"""
_END = """
DELETE FROM opt_in_questions q USING unnest($2::text[], $3::text[]) AS ended (keeper, source)
WHERE q.application = $1 AND q.keeper = ended.keeper AND q.source_address = ended.source
"""


async def of(
    connection: Any, application: str, sources: Collection[str]
) -> tuple[OptInQuestionRow, ...]:
    """The questions to these people that nobody has ended; some may be too old."""
    if not sources:
        return ()
    records = await connection.fetch(_OF, application, list(sources))
    return tuple(OptInQuestionRow(**record) for record in records)


async def write(connection: Any, application: str, questions: Questions) -> None:
    """Keep what has become of questions. The caller holds the application's lock."""
    if questions.ended:
        keepers, sources = zip(*questions.ended, strict=True)
        await connection.execute(_END, application, list(keepers), list(sources))
    await bulk.insert(connection, list(questions.asked.values()), conflict=_REPLACE)
