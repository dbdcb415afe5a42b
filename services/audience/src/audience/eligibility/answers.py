"""What was found out about an endpoint from whoever knows it, or that nobody answered."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.content_pb2 import MessageContent, Purpose
from heliograph.messaging.v1.message_service_pb2 import CheckCapsResponse
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.messaging.v1.suppression_pb2 import Suppression
from mesh.errors import DeadlineExceeded, Error, Unavailable

from audience.consent.store import OptOut

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """That a question has no answer, in words."""

    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign has for one endpoint: a treatment and its content, or hold-out."""

    campaign: Campaign
    treatment: str
    content: MessageContent | Unanswered
    """With the stored templates it names put in."""

    @property
    def is_held_out(self) -> bool:
        """Whether the endpoint gets nothing, to compare with."""
        return not self.treatment


@dataclass(frozen=True, slots=True)
class Limits:
    """What limits the messages of a campaign, and how many of them the endpoint has had."""

    quiet_time: SendBatch.QuietTime | None = None
    caps: SendBatch.Caps | None = None
    usage: CheckCapsResponse.Usage | Unanswered = field(default_factory=CheckCapsResponse.Usage)


@dataclass(frozen=True, slots=True)
class Answers:
    """All that an explanation follows from, beside the endpoint itself."""

    plan: Plan | Unanswered | None
    """None: asked for any message."""
    is_member: bool | Unanswered
    originations: Mapping[ChannelType.ValueType, str] | Unanswered
    """The kinds of address that the application reaches, with their default origination."""
    suppressions: Sequence[Suppression] | Unanswered
    is_opted_out: bool | Unanswered
    """By the list that counts for the origination."""
    opt_outs: Sequence[OptOut] = field(default=())
    """What audience itself has heard, of all lists."""
    limits: Limits = field(default_factory=Limits)
    """Of the campaign; a message of no campaign has none."""
    now: datetime = field(kw_only=True)

    @property
    def purpose(self) -> Purpose.ValueType:
        """Why it would be sent."""
        return self._campaign.purpose or Purpose.PROMOTIONAL

    @property
    def topic(self) -> str:
        """What it would be about; empty for a message of no campaign."""
        return self._campaign.topic

    @property
    def _campaign(self) -> Campaign:
        return self.plan.campaign if isinstance(self.plan, Plan) else Campaign()


async def answered(who: str, asking: Awaitable[Value]) -> Value | Unanswered:
    """The answer, or why there is none."""
    try:
        return await asking
    except (Unavailable, DeadlineExceeded):
        return Unanswered(f"{who} does not answer")
    except Error as error:
        return Unanswered(f"{who} refuses to answer: {error}")
