"""The limits and forms of a write (Pinpoint quotas), checked before the store is asked.

`check` also brings values into their stored form: zones and countries by their proper names,
coordinates to one decimal.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final

from heliograph.audience.v1 import endpoint_pb2 as pb
from mesh.errors.refusals import invalid, shown

from audience import channels, names
from audience.endpoints import countries, time_zones
from audience.endpoints.patches import Checked, Patch
from audience.endpoints.records import json_text
from audience.endpoints.states import Attributes

NAME_CHARACTERS_MAX: Final = 50
VALUE_CHARACTERS_MAX: Final = 100
VALUES_MAX: Final = 50
ATTRIBUTES_MAX: Final = 250
TOPICS_MAX: Final = 50

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,50}")
_NAMES_CACHED: Final = 4096
_OPT_OUTS: Final = frozenset((pb.Endpoint.NONE, pb.Endpoint.ALL))
_STATUSES: Final = frozenset((pb.Endpoint.ACTIVE, pb.Endpoint.INACTIVE))
_RANGES: Final = {"latitude": 90.0, "longitude": 180.0}


def check(patch: Patch) -> None:
    """Refuse a write that breaks a limit, naming the field, the reason and the limit."""
    _check_ids(patch)
    _check_enums(patch)
    for field, values in (
        ("attributes", patch.attributes),
        ("metrics", patch.metrics),
        ("demographic", patch.demographic),
        ("location", patch.location),
        ("user.attributes", patch.user_attributes),
    ):
        if values and not isinstance(values, Checked):
            _MAPS[field](values)
    if patch.refused_topics:
        _check_topics(patch.refused_topics)


@lru_cache(_NAMES_CACHED)
def is_name(text: str) -> bool:
    """Whether a text can be the name of an attribute or a metric; the same few come again."""
    return _NAME.fullmatch(text) is not None


def _check_ids(patch: Patch) -> None:
    names.check_endpoint_id(patch.endpoint)
    if patch.user_id:
        names.check_user_id(patch.user_id)


def _check_enums(patch: Patch) -> None:
    """Numbers that came with a message are not checked by its type."""
    if patch.channel_type and patch.channel_type not in channels.NAMES:
        description = f"{patch.channel_type} is no channel type"
        raise invalid("CHANNEL_TYPE_INVALID", "channel_type", description)
    if patch.opt_out and patch.opt_out not in _OPT_OUTS:
        raise invalid("OPT_OUT_INVALID", "opt_out", f"{patch.opt_out} is neither ALL nor NONE")
    if patch.status and patch.status not in _STATUSES:
        description = f"{patch.status} is neither ACTIVE nor INACTIVE"
        raise invalid("STATUS_INVALID", "status", description)


def _check_attributes(field: str, attributes: Attributes) -> None:
    if len(attributes) > ATTRIBUTES_MAX:
        raise invalid("ATTRIBUTES_TOO_MANY", field, f"more than {ATTRIBUTES_MAX} attributes")
    for name, values in attributes.items():
        if not is_name(name):
            raise _bad_name(field, name)
        if len(values) > VALUES_MAX:
            description = f"{len(values)} values are more than {VALUES_MAX}"
            raise invalid("ATTRIBUTE_VALUES_TOO_MANY", f"{field}.{name}", description)
        for value in values:
            if len(value) > VALUE_CHARACTERS_MAX:
                description = f"a value has more than {VALUE_CHARACTERS_MAX} characters"
                raise invalid("ATTRIBUTE_VALUE_TOO_LONG", f"{field}.{name}", description)


def _check_metrics(metrics: dict[str, float | None]) -> None:
    if len(metrics) > ATTRIBUTES_MAX:
        raise invalid("ATTRIBUTES_TOO_MANY", "metrics", f"more than {ATTRIBUTES_MAX} metrics")
    for name, value in metrics.items():
        if not is_name(name):
            raise _bad_name("metrics", name)
        if value is not None and not math.isfinite(value):
            raise invalid("METRIC_INVALID", f"metrics.{name}", f"{value} is not a finite number")


def _bad_name(field: str, name: str) -> Exception:
    description = f"{shown(name)} is not a name of 1 to {NAME_CHARACTERS_MAX} characters"
    return invalid("ATTRIBUTE_NAME_INVALID", field, description)


def _check_demographic(demographic: dict[str, str]) -> None:
    for field, value in demographic.items():
        if len(value) > VALUE_CHARACTERS_MAX:
            raise _too_long(f"demographic.{field}")
    zone = demographic.get("timezone")
    if zone and zone not in time_zones.names():
        demographic["timezone"] = _zone(zone)


def _zone(text: str) -> str:
    name = time_zones.proper(text)
    if name is None:
        description = f"{shown(text)} is not a name in the tz database"
        raise invalid("TIMEZONE_INVALID", "demographic.timezone", description)
    return name


def _check_location(location: dict[str, str | float | None]) -> None:
    for field, value in location.items():
        if isinstance(value, float):
            location[field] = _coordinate(field, value)
        elif value and len(value) > VALUE_CHARACTERS_MAX:
            raise _too_long(f"location.{field}")
    country = location.get("country")
    if country and country not in countries.TWO_LETTERS:
        location["country"] = _country(str(country))


def _country(text: str) -> str:
    code = countries.alpha_2(text)
    if code is None:
        description = f"{shown(text)} is not an ISO 3166-1 code"
        raise invalid("COUNTRY_INVALID", "location.country", description)
    return code


def _coordinate(field: str, degrees: float) -> float:
    limit = _RANGES[field]
    if not -limit <= degrees <= limit:
        description = f"{degrees} is not between -{limit:g} and {limit:g} degrees"
        raise invalid("COORDINATE_INVALID", f"location.{field}", description)
    # One decimal, as Pinpoint keeps it; adding 0 makes -0.0 plain.
    return round(degrees, 1) + 0.0


def _too_long(field: str) -> Exception:
    return invalid("VALUE_TOO_LONG", field, f"more than {VALUE_CHARACTERS_MAX} characters")


def _check_topics(topics: list[str]) -> None:
    if len(topics) > TOPICS_MAX:
        raise invalid("ATTRIBUTE_VALUES_TOO_MANY", "refused_topics", f"more than {TOPICS_MAX}")
    for topic in topics:
        if len(topic) > VALUE_CHARACTERS_MAX:
            raise _too_long("refused_topics")


_MAPS: Final[dict[str, Callable[[Any], None]]] = {
    "attributes": partial(_check_attributes, "attributes"),
    "metrics": _check_metrics,
    "demographic": _check_demographic,
    "location": _check_location,
    "user.attributes": partial(_check_attributes, "user.attributes"),
}


def checked(field: str, values: dict[str, Any]) -> Checked:
    """A map that needs no check any more; `field` is one of a patch's, in the contract's words."""
    _MAPS[field](values)
    return Checked(values, json_text(field, values))
