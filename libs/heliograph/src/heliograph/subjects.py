"""Where messages travel on NATS: the subjects and the streams of the mesh, as data.

The subject of a message is its full protobuf name plus the application, so there is no table of
subjects to keep. A stream belongs to the service that announces on it; `SENDS` belongs to
messaging, which obeys it.
"""

from dataclasses import dataclass

from google.protobuf.message import Message

DAY_SECONDS = 24 * 60 * 60
GIB = 1024**3

BULK = "bulk"
"""Lane of a campaign's batches."""
DIRECT = "direct"
"""Lane of direct sends, so that a one-time password never waits behind a campaign."""


@dataclass(frozen=True)
class Stream:
    """A JetStream stream with explicit limits.

    `work_queue` streams drop a message once it is acknowledged; the others keep it until its age.
    """

    name: str
    subjects: tuple[str, ...]
    max_age_seconds: int = 7 * DAY_SECONDS
    max_bytes: int = 4 * GIB
    duplicate_window_seconds: int = 600
    work_queue: bool = False


AUDIENCE = Stream("AUDIENCE", ("heliograph.audience.v1.>",))
CAMPAIGN = Stream("CAMPAIGN", ("heliograph.campaign.v1.>",))
SENDS = Stream("SENDS", ("heliograph.messaging.v1.SendBatch.>",), work_queue=True)
MESSAGES = Stream("MESSAGES", ("heliograph.messaging.v1.MessagesChanged.>",))
INBOUND = Stream("INBOUND", ("heliograph.messaging.v1.InboundSmsReceived.>",))
EVENTS = Stream("EVENTS", ("heliograph.analytics.v1.>",))
TWOWAY = Stream("TWOWAY", ("heliograph.twoway.v1.>",))

STREAMS = (AUDIENCE, CAMPAIGN, SENDS, MESSAGES, INBOUND, EVENTS, TWOWAY)


def subject(message_type: type[Message], application: str, suffix: str = "") -> str:
    """The subject of a message of this type for one application, or `*` for all."""
    name = f"{message_type.DESCRIPTOR.full_name}.{application}"
    return f"{name}.{suffix}" if suffix else name
