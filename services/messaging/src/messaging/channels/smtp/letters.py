"""From a rendered mail to an envelope with its content. Pure."""

from datetime import datetime

from messaging.channels.outgoing import Outgoing, RenderedEmail
from messaging.channels.smtp import headers, mime
from messaging.channels.smtp.connection import Mail
from messaging.channels.smtp.dkim import Signer


def make(message: Outgoing, return_path_domain: str, signer: Signer | None, now: datetime) -> Mail:
    """The mail to send. Raises HeaderError if sender, recipient or a header cannot be written."""
    content = message.content
    if not isinstance(content, RenderedEmail):
        raise TypeError(f"{type(content).__name__} cannot be sent as a mail")
    recipient = headers.bare(message.address)
    sender = _return_path(message, return_path_domain)
    text = mime.build(content, message.origination, message.address, message.message_id, now)
    octets = text.encode()
    return Mail(
        sender=sender,
        recipient=recipient,
        octets=signer.sign(octets, now) if signer else octets,
        reference=str(message.message_id),
        needs_utf8=not (text.isascii() and sender.isascii() and recipient.isascii()),
    )


def _return_path(message: Outgoing, domain: str) -> str:
    """A bounce to it names its message (VERP)."""
    if not domain:
        return headers.bare(message.origination)
    return f"bounce+{message.message_id.hex}@{domain}"
