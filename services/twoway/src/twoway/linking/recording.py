"""What texts answer, kept beside them and told to whoever counts answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from heliograph.twoway.v1 import events_pb2, inbound_message_pb2
from mesh.eventing import outbox

from twoway import bulk, clock, names
from twoway.conversations.tables import MessageAnswerRow
from twoway.intents.normalization import normalize
from twoway.linking.asking import Answered, Found
from twoway.parcels import parcels
from twoway.tables import InboundMessage

ANSWER_CHARACTERS_MAX = 30
"""As long as a keyword may be: what is longer is a letter, and no answer to be counted."""


def links(messages: Sequence[InboundMessage], found: Found) -> dict[str, MessageAnswerRow]:
    """What is to be kept of texts, by their ids: nothing of those that answer nothing."""
    rows: dict[str, MessageAnswerRow] = {}
    for text in messages:
        answered = found.get(text.inbound_message)
        if answered is None or answered.message:
            rows[text.inbound_message] = _row(text, answered)
    return rows


async def keep(connection: Any, rows: Sequence[MessageAnswerRow]) -> None:
    """Keep what was found, and what is to be asked about again."""
    await bulk.insert(connection, rows)


def fill(row: MessageAnswerRow, answered: Answered) -> None:
    """Note what a text answers."""
    row.message = answered.message.rpartition("/")[2]
    row.run = answered.run.removeprefix(f"applications/{row.application}/")
    row.endpoint = answered.endpoint.rpartition("/endpoints/")[2]
    row.pending = False


def announce(
    announcing: outbox.Announcing,
    application: str,
    messages: Sequence[InboundMessage],
    rows: Mapping[str, MessageAnswerRow],
) -> None:
    """Tell of the texts that are known to answer messages; each must be told once."""
    linked = ((text, rows.get(text.inbound_message)) for text in messages)
    answers = [_answer(text, row) for text, row in linked if row is not None and row.message]
    for parcel in parcels(answers):
        event = events_pb2.MessagesAnswered(application=application, answers=parcel)
        event_id = f"{parcel[0].inbound_message}-answer"
        outbox.publish(announcing, event, application, event_id=event_id)


def _row(text: InboundMessage, answered: Answered | None) -> MessageAnswerRow:
    row = MessageAnswerRow(
        application=text.application,
        inbound_message=text.inbound_message,
        source_address=text.source_address,
        pending=True,
        receive_time=text.receive_time,
    )
    if answered is not None:
        fill(row, answered)
    return row


def _answer(text: InboundMessage, row: MessageAnswerRow) -> events_pb2.MessagesAnswered.Answer:
    words = normalize(text.text)
    return events_pb2.MessagesAnswered.Answer(
        inbound_message=names.inbound_message(text.application, text.inbound_message),
        message=f"applications/{text.application}/messages/{row.message}",
        receive_time=clock.stamp(text.receive_time),
        intent=inbound_message_pb2.Intent.Value(text.intent),
        keyword=text.keyword_id,
        answer=words if len(words) <= ANSWER_CHARACTERS_MAX else "",
    )
