"""Header lines of a mail (RFC 5322, RFC 2047): encoded, and safe against added lines. Pure."""

import re
from base64 import b64encode
from email.utils import parseaddr
from functools import lru_cache

_LINE_LENGTH_MAX = 900
_WORD_OCTETS = 45
_NAME = re.compile(r"[!-9;-~]{1,76}", re.ASCII)
_PLAIN = re.compile(r"[ -~]*", re.ASCII)
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*", re.ASCII)

_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")

OURS = frozenset(
    {
        "bcc",
        "cc",
        "content-disposition",
        "content-transfer-encoding",
        "content-type",
        "date",
        "dkim-signature",
        "from",
        "message-id",
        "mime-version",
        "received",
        "reply-to",
        "return-path",
        "sender",
        "subject",
        "to",
    }
)
"""What a message's own headers may not set: the mail would contradict itself."""


class HeaderError(ValueError):
    """A header that cannot be sent."""


def line(name: str, value: str) -> str:
    """One header; its value in encoded words where it is not plain ASCII."""
    return f"{name}: {encoded(value)}\r\n"


def own_line(name: str, value: str) -> str:
    """A header that the sender of a message made up. Raises HeaderError for what is not theirs."""
    if not _NAME.fullmatch(name):
        raise HeaderError(f"{name!r} is no header name")
    if name.lower() in OURS:
        raise HeaderError(f"{name} is set by the mesh")
    return line(name, " ".join(value.split()))


def encoded(text: str) -> str:
    """Text for a header. What looks like an encoded word is encoded, so that it stays as it is."""
    if _PLAIN.fullmatch(text) and "=?" not in text and len(text) <= _LINE_LENGTH_MAX:
        return text
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in _words(text))


@lru_cache(maxsize=1024)
def mailbox(address: str) -> str:
    """`Name <local@domain>` or a bare address, for From and Reply-To."""
    name, _ = parseaddr(address)
    wire = bare(address)
    if not name:
        return wire
    if _ATOMS.fullmatch(name):
        return f"{name} <{wire}>"
    if _PLAIN.fullmatch(name):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{wire}>'
    return f"{encoded(name)} <{wire}>"


@lru_cache(maxsize=4096)
def bare(address: str) -> str:
    """The address alone, its domain in ASCII (RFC 5891). Raises HeaderError if there is none."""
    local, at, domain = parseaddr(address)[1].rpartition("@")
    try:
        wire = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        wire = ""
    if not _ADDRESS.fullmatch(f"{local}{at}{wire}"):
        raise HeaderError(f"{address!r} is no mail address")
    return f"{local}@{wire}"


def _words(text: str) -> list[str]:
    """Encoded words hold whole characters (RFC 2047, 5)."""
    words, octets = [], b""
    for character in text:
        more = character.encode("utf-8", "replace")
        if len(octets) + len(more) > _WORD_OCTETS:
            words.append(b64encode(octets).decode())
            octets = b""
        octets += more
    words.append(b64encode(octets).decode())
    return words
