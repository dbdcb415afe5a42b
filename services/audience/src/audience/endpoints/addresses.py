"""Whether an address is one, by channel, and the form it is stored in."""

import hashlib
import re
from collections.abc import Callable
from typing import Final

from mesh.errors import InvalidArgument
from mesh.errors.refusals import invalid, shown

from audience import channels
from audience.endpoints import phone_numbers
from audience.endpoints.patches import Patch

TOKEN_CHARACTERS_MAX: Final = 4096
MAIL_CHARACTERS_MAX: Final = 254

# RFC 5321 without quoted local parts and address literals; RFC 6531 letters are let through.
_LOCAL: Final = r"[^\s@\"(),:;<>\[\]\\.\x00-\x20\x7f]+"
_LABEL: Final = (
    r"[A-Za-z0-9\u00a1-\U0010ffff](?:[A-Za-z0-9\u00a1-\U0010ffff-]{0,61}"
    r"[A-Za-z0-9\u00a1-\U0010ffff])?"
)
_MAIL: Final = re.compile(
    rf"(?=[^@]{{1,64}}@){_LOCAL}(?:\.{_LOCAL})*@(?:{_LABEL}\.)+(?!\d+$){_LABEL}"
)
_TOKEN: Final = re.compile(r"[^\s\x00-\x20\x7f]+")


def canonical(channel_type: int, address: str) -> str:
    """The address as it is stored: E.164, or a mail address with its domain in lower case.

    Refuses with ADDRESS_INVALID what the channel could never reach.
    """
    if channel_type in channels.PHONES:
        return _phone(address)
    if channel_type in channels.MAILBOXES:
        return _mail(address)
    return _token(address)


def forms(address: str) -> list[str]:
    """The forms in which an address is stored that is written so, on whatever channel.

    As it stands, for a token means what it says; and as the number or the mailbox that it is.
    """
    return list(dict.fromkeys([address, *_read(_phone, address), *_read(_mail, address)]))


def dialled(patch: Patch, country: str) -> Patch:
    """The patch with a phone's number that has no `+` read as in the country; empty: unread.

    The write has to say that it is a phone. What is none stays, and is refused for it later.
    """
    if country and patch.address and patch.channel_type in channels.PHONES:
        patch.address = phone_numbers.national(patch.address, country) or patch.address
    return patch


def derived_id(channel_type: int, address: str) -> str:
    """The id of an endpoint that came without one: the same for the same channel and address."""
    key = f"{channels.NAMES[channel_type]}:{address}".encode()
    return hashlib.blake2b(key, digest_size=16).hexdigest()


def identified(patch: Patch) -> Patch:
    """The patch with an id: a write without one has the id that its channel and address give."""
    if patch.endpoint:
        return patch
    if not patch.channel_type:
        raise invalid("CHANNEL_TYPE_MISSING", "channel_type", "a new endpoint needs a channel type")
    if not patch.address:
        raise invalid("ADDRESS_MISSING", "address", "a new endpoint needs an address")
    patch.address = canonical(patch.channel_type, patch.address)
    patch.endpoint = derived_id(patch.channel_type, patch.address)
    return patch


def _read(form: Callable[[str], str], address: str) -> list[str]:
    try:
        return [form(address)]
    except InvalidArgument:
        return []


def _phone(address: str) -> str:
    number = phone_numbers.canonical(address)
    if number is None:
        raise invalid("ADDRESS_INVALID", "address", f"{shown(address)} is not an E.164 number")
    return number


def _mail(address: str) -> str:
    mail = address.strip()
    if len(mail) > MAIL_CHARACTERS_MAX or not _MAIL.fullmatch(mail):
        raise invalid("ADDRESS_INVALID", "address", f"{shown(address)} is not a mail address")
    local, _, domain = mail.rpartition("@")
    return f"{local}@{domain.lower()}"


def _token(address: str) -> str:
    token = address.strip()
    if len(token) > TOKEN_CHARACTERS_MAX or not _TOKEN.fullmatch(token):
        description = f"{shown(address)} is not a token of 1 to {TOKEN_CHARACTERS_MAX} characters"
        raise invalid("ADDRESS_INVALID", "address", description)
    return token
