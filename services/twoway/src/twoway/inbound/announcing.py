"""What applications and other rooms hear about what came in."""

from collections.abc import Mapping, Sequence

from heliograph.twoway.v1 import events_pb2, keyword_pb2
from mesh.eventing import outbox

from twoway import clock, names
from twoway.conversations import render
from twoway.conversations.tables import MessageAnswerRow
from twoway.inbound.effects import Match
from twoway.inbound.situation import Situation
from twoway.parcels import parcels
from twoway.tables import InboundMessage


def matches(announcing: outbox.Announcing, application: str, found: Sequence[Match]) -> None:
    """Announce custom keywords that matched."""
    for parcel in parcels(_match(application, match) for match in found):
        event = events_pb2.KeywordMatched(application=application, matches=parcel)
        outbox.publish(announcing, event, application, event_id=parcel[0].event_id)


def messages(
    announcing: outbox.Announcing,
    situation: Situation,
    rows: Sequence[InboundMessage],
    links: Mapping[str, MessageAnswerRow],
) -> None:
    """Announce texts to numbers whose two-way switch is on, and to numbers nobody registered."""
    application = situation.application
    heard = (row for row in rows if situation.number(row.destination_address).two_way)
    rendered = (render.inbound_message(row, links.get(row.inbound_message)) for row in heard)
    for parcel in parcels(rendered):
        event = events_pb2.InboundMessageReceived(application=application, inbound_messages=parcel)
        outbox.publish(announcing, event, application, event_id=parcel[0].name)


def _match(application: str, match: Match) -> events_pb2.KeywordMatched.Match:
    text = match.text
    return events_pb2.KeywordMatched.Match(
        event_id=f"{application}-{text.inbound_id}-keyword",
        keyword=names.keyword(application, text.destination, match.keyword_id),
        keyword_text=match.keyword,
        action=keyword_pb2.Keyword.Action.Value(match.action),
        inbound_message=names.inbound_message(application, text.inbound_id),
        source_address=text.source,
        destination_address=text.destination,
        receive_time=clock.stamp(text.receive_time),
        confirmation_awaited=match.awaited,
    )
