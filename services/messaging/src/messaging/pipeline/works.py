"""A recipient of a batch, judged and rendered: a ledger row and what would be handed over. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from heliograph import message_ids, quiet_times
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.quiet_times import QuietTimes

from messaging import addresses
from messaging.channels.outgoing import Outgoing, Rendered, RenderedSms
from messaging.ledger.rows import Row, run_below
from messaging.pipeline import decisions
from messaging.rendering.contents import CompiledContent, parse_texts
from messaging.rendering.engine import Scope, TemplateError
from messaging.rendering.variables import endpoint_id

DETAIL_LENGTH_MAX = 500
NO_TIME = timedelta()
_NO_REASON: Final = Reason.REASON_UNSPECIFIED
_NO_TREATMENT: Final = SendBatch.Treatment()


@dataclass(slots=True)
class Work:
    """One message on its way. `rendered` is None when nothing is to be sent."""

    row: Row
    recipient: SendBatch.Recipient
    position: int
    """Its place among the batch's recipients."""
    rendered: Rendered | None = None
    hold_until: datetime | None = None
    """When the recipient's quiet time ends, which is waited for; then nothing is rendered yet."""
    leave_time: datetime | None = None
    """From when on it may have been with its provider, whose answer comes later."""
    erased_by: str = ""
    """The operation that erased whom it was meant for, who is no more in its row."""

    @property
    def outgoing(self) -> Outgoing:
        """What the driver is given."""
        assert self.rendered is not None
        row = self.row
        return Outgoing(row.message_id, row.address, row.origination, self.rendered)

    def skip(self, reason: Reason.ValueType, detail: str = "") -> None:
        """Decides that nothing is sent."""
        self.row.state = Message.SKIPPED
        self.row.reason = reason
        self.row.detail = storable(detail)[:DETAIL_LENGTH_MAX]
        self.row.run_address_digest = None
        self.rendered = None
        self.hold_until = None

    def hold(self, until: datetime) -> None:
        """Decides that the recipient waits."""
        self.row.state = Message.ACCEPTED
        self.rendered = None
        self.hold_until = until


@dataclass(frozen=True, slots=True)
class Frame:
    """What all recipients of a batch share while a chunk of it is made."""

    batch: SendBatch
    contents: Sequence[CompiledContent | TemplateError]
    originations: Mapping[ChannelType.ValueType, str]
    """Default origination of each channel that the application has."""
    now: datetime
    prefix: int = field(init=False)
    run: str = field(init=False)
    silenced: Reason.ValueType = field(init=False)
    quiet_times: QuietTimes | None = field(init=False)

    def __post_init__(self) -> None:
        batch = self.batch
        source_time = batch.source_time.ToDatetime(message_ids.EPOCH.tzinfo)
        object.__setattr__(self, "prefix", message_ids.prefix(source_time))
        object.__setattr__(self, "run", run_below(batch.application, batch.run))
        object.__setattr__(self, "silenced", expiry(batch, self.now))
        object.__setattr__(self, "quiet_times", quiet_times.of(batch.quiet_time, self.now))


def expiry(batch: SendBatch, now: datetime) -> Reason.ValueType:
    """`EXPIRED` once the batch's time is over."""
    if not batch.HasField("expire_time"):
        return Reason.REASON_UNSPECIFIED
    over = batch.expire_time.ToDatetime(now.tzinfo) <= now
    return Reason.EXPIRED if over else Reason.REASON_UNSPECIFIED


def skip_late(batch: SendBatch, works: Iterable[Work], now: datetime) -> None:
    """Decides that nothing is sent of what has waited too long: its time is over, or quiet."""
    expired, quiet = expiry(batch, now), quiet_times.of(batch.quiet_time, now)
    for work in works:
        reason = expired or (quiet.reason(work.recipient.endpoint) if quiet else expired)
        if reason:
            work.skip(reason)


def is_to_be_held(batch: SendBatch, works: Iterable[Work], now: datetime) -> bool:
    """Whether anybody has waited into a quiet time whose end is waited for."""
    quiet = quiet_times.of(batch.quiet_time, now) if batch.quiet_time.hold else None
    if quiet is None or expiry(batch, now):
        return False
    return any(quiet.reason(work.recipient.endpoint) == Reason.QUIET_TIME for work in works)


def make(frame: Frame, recipients: Sequence[SendBatch.Recipient], start: int = 0) -> list[Work]:
    """Judges and renders recipients, the first of them being the batch's `start`; a key that
    occurs twice counts once, where it comes first."""
    made: dict[str, Work] = {}
    for position, recipient in enumerate(recipients, start):
        if recipient.key not in made:
            made[recipient.key] = _make(frame, recipient, position)
    return list(made.values())


def _make(frame: Frame, recipient: SendBatch.Recipient, position: int) -> Work:
    work = Work(row_of(frame, recipient), recipient, position)
    reason = recipient.skip_reason or frame.silenced
    content = _content(frame, recipient)
    if reason:
        work.skip(reason)
    elif isinstance(content, TemplateError):
        work.skip(Reason.RENDERING_FAILED, str(content))
    else:
        _judge(work, frame, content)
    return work


def _content(frame: Frame, recipient: SendBatch.Recipient) -> CompiledContent | TemplateError:
    if recipient.treatment_index < len(frame.contents):
        return frame.contents[recipient.treatment_index]
    return TemplateError("the batch has no such treatment")


def _judge(work: Work, frame: Frame, content: CompiledContent) -> None:
    endpoint, row, batch = work.recipient.endpoint, work.row, frame.batch
    reason = decisions.obstacle(
        endpoint, row.purpose, content.parts, frame.originations, batch.topic
    )
    if reason:
        work.skip(reason)
        return
    channel_type = endpoint.channel_type
    part = content.parts[channel_type]
    row.origination = decisions.identity(part.origination or frame.originations[channel_type])
    row.country = addresses.country(channel_type, row.address)
    row.run_address_digest = addresses.digest_in_run(channel_type, row.address) if row.run else None
    if frame.quiet_times and _spared(work, frame, frame.quiet_times):
        return
    scope = Scope(endpoint, parse_texts(work.recipient.substitutions), content.defaults)
    try:
        work.rendered = part.render(scope)
    except TemplateError as error:
        work.skip(Reason.RENDERING_FAILED, str(error))
        return
    if scope.missing and content.fail_on_missing:
        work.skip(Reason.RENDERING_FAILED, f"no value for {scope.missing[0]}")
    elif isinstance(work.rendered, RenderedSms):
        row.parts = len(work.rendered.segments.parts)


def _spared(work: Work, frame: Frame, quiet_times: QuietTimes) -> bool:
    """Whether nothing is sent now as it is quiet where the recipient is, or nobody knows it."""
    endpoint, batch = work.recipient.endpoint, frame.batch
    reason = quiet_times.reason(endpoint)
    if not reason:
        return False
    holds = reason == Reason.QUIET_TIME and batch.quiet_time.hold
    until = quiet_times.end(endpoint) if holds else None
    if until is not None and batch.quiet_time.keep_pace:
        begun = frame.now - batch.source_time.ToDatetime(message_ids.EPOCH.tzinfo)
        until += max(min(begun, quiet_times.lasted(endpoint)), NO_TIME)
    if until is None:
        work.skip(reason)
    elif expiry(batch, until):
        work.skip(Reason.EXPIRED)
    else:
        work.hold(until)
    return True


def row_of(frame: Frame, recipient: SendBatch.Recipient) -> Row:
    """The ledger row of a recipient, about to be handed over."""
    batch, endpoint, treatment = frame.batch, recipient.endpoint, _treatment(frame.batch, recipient)
    address = addresses.normalize(endpoint.channel_type, endpoint.address) or endpoint.address
    return Row(
        application=batch.application,
        message_id=message_ids.derive(frame.prefix, batch.application, batch.source, recipient.key),
        batch_id=batch.batch_id,
        run=frame.run,
        treatment=treatment.treatment,
        endpoint_id=endpoint_id(endpoint),
        user_id=endpoint.user.user_id,
        channel_type=endpoint.channel_type,
        purpose=treatment.purpose or batch.purpose,
        address=address,
        address_digest=addresses.digest(address),
        run_address_digest=None,
        origination="",
        country="",
        parts=0,
        state=Message.HANDING,
        reason=_NO_REASON,
        detail="",
        provider_message_id="",
        context={storable(key): storable(text) for key, text in recipient.context.items()} or None,
        create_time=frame.now,
        sent_time=None,
        update_time=frame.now,
    )


def _treatment(batch: SendBatch, recipient: SendBatch.Recipient) -> SendBatch.Treatment:
    if recipient.treatment_index < len(batch.treatments):
        return batch.treatments[recipient.treatment_index]
    return _NO_TREATMENT


def storable(text: str) -> str:
    """The text without U+0000, which PostgreSQL cannot keep and protobuf can carry."""
    return text.replace("\0", "")
