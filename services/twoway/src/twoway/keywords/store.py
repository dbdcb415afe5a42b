"""Every statement about keywords."""

from collections.abc import Sequence

from mesh.errors import AlreadyExists, NotFound
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import adding, clock, names
from twoway.keywords.defaults import DEFAULTS
from twoway.keywords.tables import KeywordRow


async def of_number(
    session: AsyncSession, application: str, phone_number: str
) -> Sequence[KeywordRow]:
    """All keywords of a number or pool by their ids, the unchanged default ones among them.

    They are few: the quota bounds them.
    """
    query = select(KeywordRow).where(
        KeywordRow.application == application, KeywordRow.phone_number == phone_number
    )
    rows = {row.keyword_id: row for row in (await session.exec(query)).all()}
    for keyword_id in DEFAULTS:
        rows.setdefault(keyword_id, default(application, phone_number, keyword_id))
    return [rows[keyword_id] for keyword_id in sorted(rows)]


async def get(
    session: AsyncSession,
    application: str,
    phone_number: str,
    keyword_id: str,
    *,
    lock: bool = False,
) -> KeywordRow:
    """The keyword of a number or pool, or NOT_FOUND; a default one as it is before any change."""
    row = await session.get(
        KeywordRow, (application, phone_number, keyword_id), with_for_update=lock or None
    )
    if row is not None:
        return row
    if keyword_id not in DEFAULTS:
        name = names.keyword(application, phone_number, keyword_id)
        raise NotFound("KEYWORD_NOT_FOUND", f"{name} does not exist", keyword=name)
    return default(application, phone_number, keyword_id)


def default(application: str, phone_number: str, keyword_id: str) -> KeywordRow:
    """A default keyword that nobody has changed; it has no row, so its revision is 0."""
    made = DEFAULTS[keyword_id]
    now = clock.now()
    return KeywordRow(
        application=application,
        phone_number=phone_number,
        keyword_id=keyword_id,
        keyword=made.keyword,
        words=keyword_id,
        action=made.action,
        reply_text=made.reply_text,
        localized_reply_texts=made.localized_reply_texts,
        revision=0,
        create_time=now,
        update_time=now,
    )


async def count_custom(session: AsyncSession, application: str, phone_number: str) -> int:
    """How many custom keywords a number or pool has."""
    query = select(func.count()).where(
        KeywordRow.application == application,
        KeywordRow.phone_number == phone_number,
        col(KeywordRow.keyword_id).not_in(DEFAULTS),
    )
    return (await session.exec(query)).one()


async def add(session: AsyncSession, row: KeywordRow) -> None:
    """A new keyword; ALREADY_EXISTS when its id or its words are taken."""
    await adding.add(session, row, lambda: _exists(row.keyword))


def _exists(keyword: str) -> AlreadyExists:
    return AlreadyExists(
        "KEYWORD_EXISTS",
        f"{keyword!r}, or one that reads the same, exists already",
        keyword=keyword,
    )
