"""From a provider's answers to what is written and told of them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging import events
from messaging.channels.outcomes import Later, Outcome, Refused, Sent
from messaging.ledger.outcomes import Recorded
from messaging.pipeline.works import DETAIL_LENGTH_MAX, Work, storable

RETRY_MIN_SECONDS = 0.05
RETRY_MAX_SECONDS = 5.0


def recorded(work: Work, answer: Outcome, now: datetime) -> Recorded:
    """Notes the answer in the work's row, and makes what is written of it."""
    row = work.row
    row.update_time = now
    match answer:
        case Sent(provider_message_id):
            row.state, row.provider_message_id = Message.SENT, provider_message_id
        case Refused(code, words, reason, provider_message_id):
            row.provider_message_id = provider_message_id
            skipped = reason == Reason.CHANNEL_NOT_CONFIGURED
            row.state = Message.SKIPPED if skipped else Message.FAILED
            row.reason, row.detail = reason, storable(f"{code} {words}".strip())[:DETAIL_LENGTH_MAX]
        case _:
            row.state = Message.ACCEPTED
    return Recorded(
        row.message_id,
        row.state,
        row.reason,
        row.detail,
        row.provider_message_id,
        work.leave_time,
    )


def told(works: Sequence[Work], sent_times: Mapping[UUID, datetime | None]) -> list[MessageEvent]:
    """The events of works that have ended. A message was sent when the ledger says it was."""
    events_told = []
    for work in works:
        row = work.row
        if row.state == Message.SENT:
            row.sent_time = sent_times.get(row.message_id) or row.update_time
            events_told.append(events.event(row, MessageEvent.SENT, row.sent_time))
        elif row.state in events.KINDS:
            events_told.append(events.event(row, events.KINDS[row.state], row.update_time))
    return events_told


def delay_seconds(answers: Sequence[Outcome], at_least: float = RETRY_MIN_SECONDS) -> float:
    """How long to wait before what is for later is tried again."""
    asked = [answer.retry_after_seconds for answer in answers if isinstance(answer, Later)]
    return min(max([at_least, *asked]), RETRY_MAX_SECONDS)
