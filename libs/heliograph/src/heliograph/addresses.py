"""Addresses by channel: which are valid, and how they are written when they are sent to. Pure."""

import re

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


def _normalize_mail(address: str) -> str | None:
    if len(address) > 320 or not _MAIL.fullmatch(address):
        return None
    local, _, domain = address.rpartition("@")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return None
    return f"{local}@{domain.lower()}"
