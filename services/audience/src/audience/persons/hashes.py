"""Keyed hashes of who was erased: they tell that somebody is one of them, and nothing else.

Without the key nobody can try numbers until one fits. It is one of the process, as every way in
needs it: set when the service starts.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final, TypeAlias

from audience import channels

KEY_BYTES: Final = 32

Address: TypeAlias = tuple[int, str]
"""A family of channels, and an address in the form that all ways of writing it have in common."""

_keys: list[bytes] = []


def parsed(text: str) -> list[bytes]:
    """Keys as settings have them: base64 of 32 bytes, parted by commas. Raises ValueError."""
    keys = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            key = base64.b64decode(part, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key is base64 of {KEY_BYTES} bytes")
        keys.append(key)
    return keys


def use(text: str) -> None:
    """The keys of this process: the first one hashes, all of them are looked for."""
    _keys[:] = parsed(text)


def has_key() -> bool:
    """Whether anybody can be hashed."""
    return bool(_keys)


def family(channel_type: int) -> int:
    """Channels that have their addresses in common: a number that is texted is one that is called.
    As the lowest channel type of them."""
    return min(relatives(channel_type))


def relatives(channel_type: int) -> frozenset[int]:
    """The channels of that family."""
    for family_ in (channels.PHONES, channels.MAILBOXES):
        if channel_type in family_:
            return frozenset(family_)
    return frozenset({channel_type})


def of_user(application: str, user_id: str) -> list[bytes]:
    """The hash of a user id under each key."""
    return _hashes(application, "user", user_id)


def of_address(application: str, address: Address) -> list[bytes]:
    """The hash of an address under each key."""
    return _hashes(application, f"address {address[0]}", address[1])


def address_of(channel_type: int, address: str) -> Address:
    """An address that is in the form it is stored in: a mailbox is the same in capitals."""
    own = family(channel_type)
    return own, address.casefold() if own in channels.MAILBOXES else address


def _hashes(*parts: str) -> list[bytes]:
    text = "\0".join(parts).encode()
    return [hmac.digest(key, text, hashlib.sha256) for key in _keys]
