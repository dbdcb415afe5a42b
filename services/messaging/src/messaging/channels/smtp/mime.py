"""A mail as octets, put together by hand; the standard library builds hundreds a second. Pure."""

import re
from base64 import encodebytes
from datetime import datetime
from email.utils import format_datetime
from uuid import UUID

from messaging.channels.outgoing import RenderedEmail
from messaging.channels.smtp import headers

_LONG_LINE = re.compile(r"[^\n]{999}")
_NEWLINE = re.compile(r"\r\n?")


def build(
    content: RenderedEmail, sender: str, recipient: str, message_id: UUID, now: datetime
) -> str:
    """The whole mail, in lines that end with CRLF.

    Raises HeaderError for a sender or a header that cannot be written.
    """
    return _head(content, sender, recipient, message_id, now) + _body(content, message_id)


def _head(
    content: RenderedEmail, sender: str, recipient: str, message_id: UUID, now: datetime
) -> str:
    domain = headers.bare(sender).rpartition("@")[2]
    lines = [
        f"From: {headers.mailbox(sender)}\r\n",
        f"To: {headers.bare(recipient)}\r\n",
        headers.line("Subject", content.subject),
        f"Date: {format_datetime(now)}\r\n",
        f"Message-ID: <{message_id}@{domain}>\r\n",
        "MIME-Version: 1.0\r\n",
    ]
    if content.reply_to_addresses:
        answers_to = ",\r\n ".join(map(headers.mailbox, content.reply_to_addresses))
        lines.append(f"Reply-To: {answers_to}\r\n")
    lines += [headers.own_line(name, value) for name, value in content.headers]
    return "".join(lines)


def _body(content: RenderedEmail, message_id: UUID) -> str:
    """The plain form comes first: the last form is the one that is shown (RFC 2046, 5.1.4)."""
    parts = [
        _part(kind, text)
        for kind, text in (("plain", content.text_body), ("html", content.html_body))
        if text
    ]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _part("plain", "")
    boundary = f"=_{message_id.hex}"
    inner = "".join(f"--{boundary}\r\n{part}" for part in parts)
    kind = f'multipart/alternative; boundary="{boundary}"'
    return f"Content-Type: {kind}\r\n\r\n{inner}--{boundary}--\r\n"


def _part(kind: str, text: str) -> str:
    text = _NEWLINE.sub("\n", text)
    if text.isascii() and not _LONG_LINE.search(text):
        encoding, octets = "7bit", text if text.endswith("\n") else f"{text}\n"
    else:
        encoding = "base64"
        octets = encodebytes(text.replace("\n", "\r\n").encode("utf-8", "replace")).decode()
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    ) + octets.replace("\n", "\r\n")
