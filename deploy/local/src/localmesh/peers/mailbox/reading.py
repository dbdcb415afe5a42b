"""A mail as a person reads it: decoded headers, the plain text and the HTML."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from typing import Any


def read_mail(content: bytes) -> dict[str, Any]:
    """Subject, all headers and the first text of each kind, as far as they can be read."""
    mail = message_from_bytes(content)
    headers = {name: _decoded(value) for name, value in mail.items()}
    return {
        "subject": _decoded(mail.get("Subject", "")),
        "message_id": mail.get("Message-ID", ""),
        "headers": headers,
        "text": _text(mail, "text/plain"),
        "html": _text(mail, "text/html"),
    }


def _decoded(value: str) -> str:
    """RFC 2047 words as text; what cannot be decoded stays as it came."""
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError):
        return value


def _text(mail: Message, content_type: str) -> str:
    for part in mail.walk():
        if part.get_content_type() == content_type and not part.is_multipart():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return _in_charset(payload, part.get_content_charset("utf-8"))
    return ""


def _in_charset(payload: bytes, charset: str) -> str:
    try:
        return payload.decode(charset, errors="replace").replace("\r\n", "\n")
    except LookupError:
        return payload.decode("latin-1").replace("\r\n", "\n")
