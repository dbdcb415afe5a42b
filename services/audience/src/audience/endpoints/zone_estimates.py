"""The time zone of an endpoint that states none, estimated from what it has, and from what.

Nothing is stored: it is told with each endpoint that is read, so that a better table or a corrected
address counts at once. Where several zones are possible that do not keep the same time, none is
told.
"""

from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

import phonenumbers
from heliograph.audience.v1 import endpoint_pb2 as pb
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from audience import channels
from audience.endpoints import postal_zones

Source = pb.EstimatedTimeZone

_NUMBERS_KEPT: Final = 16_384
_COMPARED: Final = tuple(
    datetime(year, month, 1, tzinfo=UTC) for year in (2025, 2026, 2027) for month in range(1, 13)
)
_BY_PLACE: Final = frozenset({"1", "52", "54", "55", "62", "86"})
"""Calling codes whose mobile numbers follow places too (phonenumbers: `GEO_MOBILE_COUNTRIES`)."""


def estimate(channel_type: int, address: str, location: dict[str, Any]) -> dict[str, Any] | None:
    """Constructor arguments of an EstimatedTimeZone; None when nothing tells the zone."""
    if channel_type in channels.PHONES and (zone := _of_number(address)):
        return {"time_zone": zone, "source": Source.PHONE_NUMBER}
    country = location.get("country")
    if not country:
        return None
    postal_code = location.get("postal_code")
    if postal_code and (zone := postal_zones.zone(country, postal_code)):
        return {"time_zone": zone, "source": Source.POSTAL_CODE}
    if zone := _of_country(country):
        return {"time_zone": zone, "source": Source.COUNTRY}
    return None


@lru_cache(_NUMBERS_KEPT)
def _of_number(number: str) -> str:
    """The zone of an E.164 number, without parsing it: this is in the inner loop of a run."""
    digits = number[1:]
    code = next((digits[:size] for size in (1, 2, 3) if _is_calling_code(digits[:size])), "")
    return _alike(TIMEZONE_DATA.get(code, ())) or (
        _alike(_of_prefix(digits)) if code in _BY_PLACE else ""
    )


@cache
def _is_calling_code(digits: str) -> bool:
    return int(digits or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def _of_prefix(digits: str) -> tuple[str, ...]:
    for size in range(TIMEZONE_LONGEST_PREFIX, 0, -1):
        if zones := TIMEZONE_DATA.get(digits[:size]):
            return tuple(zones)
    return ()


def _of_country(country: str) -> str:
    return _alike(_countries().get(country, ()))


@cache
def _alike(zones: tuple[str, ...]) -> str:
    """One of zones that keep the same time now and in the years around; else empty.

    `Europe/London` rather than `Europe/Guernsey`, which is a mere name of it.
    """
    offsets = {
        tuple(moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in _COMPARED)
        for zone in zones
    }
    own = [zone for zone in zones if zone in _zones()] or zones
    return own[0] if len(offsets) == 1 else ""


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """Zones by country, from the tz database."""
    found: dict[str, tuple[str, ...]] = {}
    for country, _, zone, *_ in _table("zone.tab"):
        found[country] = (*found.get(country, ()), zone)
    return found


@cache
def _zones() -> frozenset[str]:
    """Zones with a history of their own."""
    return frozenset(zone for _, _, zone, *_ in _table("zone1970.tab"))


def _table(name: str) -> list[list[str]]:
    text = (resources.files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
