"""Addresses as SMPP carries them: digits or letters, with a type and a plan."""

from functools import lru_cache
from typing import NamedTuple

from mesh.smpp import Ton

_UNKNOWN_PLAN, _ISDN = 0, 1


class WireAddress(NamedTuple):
    """An address on the wire."""

    value: str
    ton: int
    npi: int


def phone(address: str) -> WireAddress:
    """An E.164 number."""
    return WireAddress(address.removeprefix("+"), Ton.INTERNATIONAL, _ISDN)


@lru_cache(maxsize=1024)
def origination(identity: str) -> WireAddress:
    """A number, a short code or a sender id; empty leaves it to the carrier."""
    if not identity:
        return WireAddress("", Ton.UNKNOWN, _UNKNOWN_PLAN)
    if identity.startswith("+"):
        return phone(identity)
    if identity.isdecimal():
        return WireAddress(identity, Ton.NETWORK_SPECIFIC, _ISDN)
    return WireAddress(identity, Ton.ALPHANUMERIC, _UNKNOWN_PLAN)


def read(value: str, ton: int) -> str:
    """An address as the mesh writes it; an international number has its plus."""
    return f"+{value}" if ton == Ton.INTERNATIONAL and value.isdecimal() else value
