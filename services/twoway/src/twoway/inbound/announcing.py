"""What applications and other rooms hear about what came in."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from heliograph.twoway.v1 import events_pb2, keyword_pb2
from mesh.eventing import outbox
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.conversations import render
from twoway.inbound.effects import Match
from twoway.inbound.situation import Situation
from twoway.tables import InboundMessageRow

ANNOUNCED_MAX = 200
"""Texts in one bus message: 200 of the longest stay below what the server takes."""

Item = TypeVar("Item")


def matches(session: AsyncSession, application: str, found: Sequence[Match]) -> None:
    """Announce custom keywords that matched."""
    for part in _parts(found):
        event = events_pb2.KeywordMatched(
            application=application, matches=[_match(application, match) for match in part]
        )
        outbox.publish(session, event, application, event_id=f"{part[0].text.inbound_id}-keyword")


def messages(
    session: AsyncSession, situation: Situation, rows: Sequence[InboundMessageRow]
) -> None:
    """Announce texts to numbers whose two-way switch is on, and to numbers nobody registered."""
    heard = [row for row in rows if situation.number(row.destination_address).two_way]
    for part in _parts(heard):
        event = events_pb2.InboundMessageReceived(
            application=situation.application,
            inbound_messages=map(render.inbound_message, part),
        )
        outbox.publish(
            session,
            event,
            situation.application,
            event_id=f"{situation.application}-{part[0].inbound_message}-received",
        )


def _match(application: str, match: Match) -> events_pb2.KeywordMatched.Match:
    text = match.text
    return events_pb2.KeywordMatched.Match(
        event_id=f"{text.inbound_id}-keyword",
        keyword=names.keyword(application, text.destination, match.keyword_id),
        keyword_text=match.keyword,
        action=keyword_pb2.Keyword.Action.Value(match.action),
        inbound_message=names.inbound_message(application, text.inbound_id),
        source_address=text.source,
        destination_address=text.destination,
        receive_time=clock.stamp(text.receive_time),
    )


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), ANNOUNCED_MAX):
        yield items[start : start + ANNOUNCED_MAX]
