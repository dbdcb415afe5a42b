"""Addresses by channel: which are valid, how they are written and compared. Pure."""

import re
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import phonenumbers
from heliograph.audience.v1.channel_type_pb2 import ChannelType

PHONE_CHANNELS = frozenset({ChannelType.SMS, ChannelType.VOICE})
APNS_CHANNELS = frozenset(
    {
        ChannelType.PUSH_APNS,
        ChannelType.PUSH_APNS_SANDBOX,
        ChannelType.PUSH_APNS_VOIP,
        ChannelType.PUSH_APNS_VOIP_SANDBOX,
    }
)
PUSH_CHANNELS = APNS_CHANNELS | {
    ChannelType.PUSH_FCM,
    ChannelType.PUSH_WEB,
    ChannelType.PUSH_ADM,
    ChannelType.PUSH_BAIDU,
}

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_PHONE_FILLING = str.maketrans("", "", " -.()/ ")
_MAIL = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?=.{1,253}$)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]"
)
_HEX_TOKEN = re.compile(r"[0-9A-Fa-f]{64,200}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)

_NANP = "+1"
_NANP_KEY_LENGTH = 5
_SHARED_KEY_LENGTH = 8
_NO_REGION = ("001", "ZZ")


def normalize(channel_type: ChannelType.ValueType, address: str) -> str | None:
    """The address as it is sent to, or None when it is not one of its channel.

    Phone numbers lose their filling, as in `+1 (415) 555-0123`, and must be E.164; the domain of a
    mail address becomes lower case; tokens stay as they are.
    """
    if channel_type in PHONE_CHANNELS:
        number = address.translate(_PHONE_FILLING)
        return number if _PHONE.fullmatch(number) else None
    if channel_type == ChannelType.EMAIL:
        return _normalize_mail(address.strip())
    pattern = _HEX_TOKEN if channel_type in APNS_CHANNELS else _TOKEN
    return address if pattern.fullmatch(address) else None


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


def _normalize_mail(address: str) -> str | None:
    if len(address) > 320 or not _MAIL.fullmatch(address):
        return None
    local, _, domain = address.rpartition("@")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return None
    return f"{local}@{domain.lower()}"


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
