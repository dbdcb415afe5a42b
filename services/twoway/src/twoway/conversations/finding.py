"""Every statement that reads conversations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh.errors import InvalidArgument, NotFound, ResourceExhausted, Violation
from sqlalchemy import cast, text, tuple_, union_all
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import and_, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.conversations.tables import ConversationRow, HandReplyRow, MessageAnswerRow, words
from twoway.tables import InboundMessageRow

MATCHES_MAX = 100_000
"""Texts that a search looks through; more of them would say that the words are no use."""

Key = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations of an application are meant; what is empty does not narrow."""

    application: str
    phone_number: str = ""
    source_address: str = ""
    state: str = ""
    assignee: str = ""


async def get(session: AsyncSession, name: str, *, to_change: bool = False) -> ConversationRow:
    """The conversation of that name, or NOT_FOUND; `to_change` keeps others from changing it."""
    key = names.conversation_key(name)
    row = await session.get(ConversationRow, key, with_for_update=to_change)
    if row is None:
        raise NotFound("CONVERSATION_NOT_FOUND", f"{name} does not exist", conversation=name)
    return row


async def page(
    session: AsyncSession, wanted: Filter, before: Key | None, limit: int
) -> Sequence[ConversationRow]:
    """Conversations, the most recent first."""
    row = ConversationRow
    query = select(row).where(row.application == wanted.application)
    for column in ("phone_number", "source_address", "state", "assignee"):
        if value := getattr(wanted, column):
            query = query.where(getattr(row, column) == value)
    return list((await session.exec(_recent(query, before).limit(limit))).all())


async def search(
    session: AsyncSession,
    application: str,
    asked: str,
    before: Key | None,
    limit: int,
    matches_max: int = MATCHES_MAX,
) -> Sequence[ConversationRow]:
    """Conversations with a text that has all the words, the most recent first.

    Refuses words that are none (QUERY_EMPTY) or stand in too many texts (QUERY_TOO_BROAD).
    """
    said = func.plainto_tsquery(text("'simple'::regconfig"), asked)
    if not await session.scalar(select(func.numnode(said))):
        description = "there is no word in it"
        violation = Violation("query", description, "QUERY_EMPTY")
        raise InvalidArgument("QUERY_EMPTY", f"query: {description}", violations=[violation])
    found = _texts(application, said, matches_max + 1)
    if (await session.scalar(select(func.count()).select_from(found)) or 0) > matches_max:
        raise ResourceExhausted(
            "QUERY_TOO_BROAD", f"more than {matches_max} texts have these words: add a rarer one"
        )
    row = ConversationRow
    pairs = select(found.c.phone_number, found.c.source_address).distinct().subquery()
    query = select(row).join(
        pairs,
        and_(
            col(row.source_address) == pairs.c.source_address,
            col(row.phone_number) == pairs.c.phone_number,
        ),
    )
    query = query.where(row.application == application)
    return list((await session.exec(_recent(query, before).limit(limit))).all())


async def answers(
    session: AsyncSession, application: str, texts: Iterable[InboundMessageRow]
) -> dict[str, MessageAnswerRow]:
    """What texts answer, by their ids; nothing of those that answer nothing."""
    row = MessageAnswerRow
    ids = [text.inbound_message for text in texts]
    query = select(row).where(row.application == application, col(row.inbound_message).in_(ids))
    return {found.inbound_message: found for found in (await session.exec(query)).all()}


def _recent(query: Any, before: Key | None) -> Any:
    key = (col(ConversationRow.last_message_time), col(ConversationRow.conversation))
    if before is not None:
        query = query.where(tuple_(*key) < before)
    return query.order_by(*(column.desc() for column in key))


def _texts(application: str, said: Any, limit: int) -> Any:
    """Numbers and people of texts with these words."""
    owner = cast(f"'{application}@'", TSQUERY)
    theirs, ours = InboundMessageRow, HandReplyRow
    return union_all(
        select(col(theirs.destination_address).label("phone_number"), col(theirs.source_address))
        .where(_has(theirs, owner, said))
        .limit(limit)
        .subquery()
        .select(),
        select(col(ours.phone_number), col(ours.source_address))
        .where(_has(ours, owner, said), ours.message != "")
        .limit(limit)
        .subquery()
        .select(),
    ).subquery()


def _has(row: Any, owner: Any, said: Any) -> Any:
    return words(col(row.application), col(row.text)).op("@@")(owner.op("&&")(said))
