"""Addresses as the ledger compares them, and the countries they lie in. Pure."""

from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import phonenumbers
from heliograph.addresses import PHONE_CHANNELS, normalize
from heliograph.audience.v1.channel_type_pb2 import ChannelType

__all__ = ["country", "digest", "digest_in_run", "normalize"]

_NANP = "+1"
_NANP_KEY_LENGTH = 5
_SHARED_KEY_LENGTH = 8
_NO_REGION = ("001", "ZZ")


def digest(address: str) -> UUID:
    """What the ledger compares addresses by: short, of one length, and fit for an index."""
    return UUID(bytes=blake2b(address.encode(), digest_size=16).digest())


def digest_in_run(channel_type: ChannelType.ValueType, address: str) -> UUID:
    """What makes an address a duplicate within a run: a number called and texted is two."""
    key = f"{channel_type}:{address}".encode()
    return UUID(bytes=blake2b(key, digest_size=16).digest())


def country(channel_type: ChannelType.ValueType, address: str) -> str:
    """The two-letter country of a phone number; empty for other addresses, or where unknown."""
    if channel_type not in PHONE_CHANNELS:
        return ""
    for length in (2, 3, 4):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(_digits(address[1:length]))
        if regions is not None:
            break
    else:
        return ""
    if len(regions) == 1:
        return "" if regions[0] in _NO_REGION else regions[0]
    shared = address.startswith(_NANP)
    return _shared_region(address, _NANP_KEY_LENGTH if shared else _SHARED_KEY_LENGTH)


def _digits(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _shared_region(address: str, key_length: int) -> str:
    """The region where several share a calling code; its leading digits decide."""
    return _region_by_lead(address[:key_length], len(address))


@lru_cache(maxsize=65_536)
def _region_by_lead(lead: str, length: int) -> str:
    filled = lead.ljust(length, "2")
    try:
        number = phonenumbers.parse(filled, None)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(number)
    if region is None:
        region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return "" if region in _NO_REGION else str(region)
