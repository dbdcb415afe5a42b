"""What Pinpoint's variables mean for an endpoint: one getter for each path. Pure."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Literal

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint, Values

from messaging.rendering.paths import Path

Value = str | float | Sequence[str] | None
Getter = Callable[[Endpoint], Value]

_DEMOGRAPHIC = {
    "AppVersion": "app_version",
    "Locale": "locale",
    "Make": "make",
    "Model": "model",
    "ModelVersion": "model_version",
    "Platform": "platform",
    "PlatformVersion": "platform_version",
    "Timezone": "timezone",
}
_LOCATION = {"City": "city", "Country": "country", "PostalCode": "postal_code", "Region": "region"}


def _time(field: Literal["create_time", "update_time"]) -> Getter:
    def get(endpoint: Endpoint) -> Value:
        if not endpoint.HasField(field):
            return None
        return str(getattr(endpoint, field).ToJsonString())

    return get


def endpoint_id(endpoint: Endpoint) -> str:
    """The last segment of the endpoint's name."""
    return endpoint.name.rpartition("/")[2]


def _enum(name: str, enum: type) -> Getter:
    def get(endpoint: Endpoint) -> Value:
        value = getattr(endpoint, name)
        return enum.Name(value) if value else None  # type: ignore[attr-defined]  # an enum wrapper

    return get


SINGLE: Mapping[Path, Getter] = {
    ("Address",): attrgetter("address"),
    ("ChannelType",): _enum("channel_type", ChannelType),  # type: ignore[arg-type]
    ("CreationDate",): _time("create_time"),
    ("EffectiveDate",): _time("update_time"),
    ("EndpointStatus",): _enum("status", Endpoint.Status),  # type: ignore[arg-type]
    ("Id",): endpoint_id,
    ("OptOut",): _enum("opt_out", Endpoint.OptOut),  # type: ignore[arg-type]
    ("User", "UserId"): attrgetter("user.user_id"),
    **{("Demographic", word): attrgetter(f"demographic.{it}") for word, it in _DEMOGRAPHIC.items()},
    **{("Location", word): attrgetter(f"location.{it}") for word, it in _LOCATION.items()},
}


BRANCHES: frozenset[Path] = frozenset(
    {
        ("Attributes",),
        ("Demographic",),
        ("Location",),
        ("Metrics",),
        ("User",),
        ("User", "UserAttributes"),
    }
)
"""Paths that lead to variables and are none."""


@lru_cache(maxsize=4096)
def getter(path: Path) -> Getter | None:
    """How to read the variable from an endpoint; None when no endpoint can have it."""
    if path in SINGLE:
        return SINGLE[path]
    match path:
        case ("Attributes", name):
            return lambda endpoint: _all(endpoint.attributes, name)
        case ("Attributes", name, index) if index.isdecimal():
            return lambda endpoint: _one(endpoint.attributes, name, int(index))
        case ("User", "UserAttributes", name):
            return lambda endpoint: _all(endpoint.user.attributes, name)
        case ("User", "UserAttributes", name, index) if index.isdecimal():
            return lambda endpoint: _one(endpoint.user.attributes, name, int(index))
        case ("Metrics", name):
            return lambda endpoint: endpoint.metrics.get(name)
        case ("Location", "Latitude" | "Longitude" as word):
            return _coordinate("latitude" if word == "Latitude" else "longitude")
    return None


def text(value: Value) -> str:
    """The value as a template prints it; empty for what is missing.

    Numbers without a fraction lose their point and lists are joined by commas, as in Handlebars.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return ",".join(value)


def _all(attributes: Mapping[str, Values], name: str) -> Value:
    # Reading a missing key of a protobuf map would add it.
    return attributes[name].values if name in attributes else None


def _one(attributes: Mapping[str, Values], name: str, index: int) -> Value:
    if name not in attributes:
        return None
    values = attributes[name].values
    return values[index] if index < len(values) else None


def _coordinate(field: Literal["latitude", "longitude"]) -> Getter:
    def get(endpoint: Endpoint) -> Value:
        location = endpoint.location
        return float(getattr(location, field)) if location.HasField(field) else None

    return get
