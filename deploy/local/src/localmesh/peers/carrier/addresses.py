"""Addresses as people write them, and as SMPP carries them."""

from typing import NamedTuple

from mesh.smpp import Ton

_ISDN = 1


class WireAddress(NamedTuple):
    """Digits or letters, with type and plan."""

    value: str
    ton: int
    npi: int


def from_wire(value: str, ton: int) -> str:
    """Returns an international number with its plus, anything else as it is."""
    return f"+{value}" if ton == Ton.INTERNATIONAL and value.isdecimal() else value


def to_wire(address: str) -> WireAddress:
    """Returns how a number, a short code or a name is carried."""
    if address.startswith("+"):
        return WireAddress(address[1:], Ton.INTERNATIONAL, _ISDN)
    if address.isdecimal():
        return WireAddress(address, Ton.NETWORK_SPECIFIC, _ISDN)
    return WireAddress(address, Ton.ALPHANUMERIC, 0)
