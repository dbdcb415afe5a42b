"""What a driver is given: a message, rendered for one recipient."""

from dataclasses import dataclass, field
from uuid import UUID

from mesh.sms import Segments


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """A text message, encoded and cut into the octets of its parts."""

    text: str
    segments: Segments
    time_to_live_seconds: int = 0
    """How long the carrier may try; 0 leaves it to the carrier."""


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """A mail's parts; at least one of the two bodies is there."""

    subject: str
    text_body: str = ""
    html_body: str = ""
    reply_to_addresses: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedPush:
    """A push notification, before it takes a provider's shape."""

    title: str = ""
    body: str = ""
    url: str = ""
    image_url: str = ""
    data: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    time_to_live_seconds: int = 0
    collapse_key: str = ""
    raw: dict[str, object] = field(default_factory=dict)
    """Provider-specific payload, merged over the message."""


Rendered = RenderedSms | RenderedEmail | RenderedPush


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one recipient.

    `address` is E.164, a mail address or a device token. `origination` is where it comes from: a
    number, a sender id, or `Name <local@domain>`; empty when the channel has no default either.
    """

    message_id: UUID
    address: str
    origination: str
    content: Rendered

    @property
    def reference(self) -> int:
        """16 bits for SMPP's user_message_reference, which a receipt may carry back."""
        return reference(self.message_id)


def reference(message_id: UUID) -> int:
    """The 16 bits that stand for a message where a provider has no room for its id."""
    return message_id.int & 0xFFFF
