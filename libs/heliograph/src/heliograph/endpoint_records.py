"""Endpoints in the shape of Pinpoint's exports (`EndpointResponse`), as an import reads them."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import endpoint_pb2 as pb

_PINPOINTS_NAMES: Final = {
    channels.PUSH_FCM: "GCM",
    channels.PUSH_APNS: "APNS",
    channels.PUSH_APNS_SANDBOX: "APNS_SANDBOX",
    channels.PUSH_APNS_VOIP: "APNS_VOIP",
    channels.PUSH_APNS_VOIP_SANDBOX: "APNS_VOIP_SANDBOX",
    channels.PUSH_ADM: "ADM",
    channels.PUSH_BAIDU: "BAIDU",
}
CHANNELS: Final = {
    number: _PINPOINTS_NAMES.get(number, name) for name, number in channels.ChannelType.items()
}
"""Names of channel types in files, by number: Pinpoint's where it had one."""

DEMOGRAPHIC: Final = {
    "app_version": "AppVersion",
    "locale": "Locale",
    "make": "Make",
    "model": "Model",
    "model_version": "ModelVersion",
    "platform": "Platform",
    "platform_version": "PlatformVersion",
    "timezone": "Timezone",
}
LOCATION: Final = {
    "city": "City",
    "country": "Country",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "postal_code": "PostalCode",
    "region": "Region",
}
_OPT_OUTS: Final = dict(zip(pb.Endpoint.OptOut.values(), pb.Endpoint.OptOut.keys(), strict=True))
_STATUSES: Final = dict(zip(pb.Endpoint.Status.values(), pb.Endpoint.Status.keys(), strict=True))


def record(endpoint: pb.Endpoint) -> dict[str, Any]:
    """One endpoint as the object of a line. Parts that are empty are left out.

    `RefusedTopics` is what Pinpoint did not know; times are those of our store.
    """
    # What is not set is not looked at: this is done for every endpoint of an export.
    stated = {field.name: value for field, value in endpoint.ListFields()}
    _, application, _, endpoint_id = endpoint.name.split("/", 3)
    made = {
        "Id": endpoint_id,
        "ApplicationId": application,
        "ChannelType": CHANNELS[endpoint.channel_type],
        "Address": endpoint.address,
        "OptOut": _OPT_OUTS[endpoint.opt_out],
        "EndpointStatus": _STATUSES[endpoint.status],
    }
    for field, (name, read) in _PARTS.items():
        if field in stated:
            made[name] = read(stated[field])
    return made


def _user(user: pb.User) -> dict[str, Any]:
    if not user.attributes:
        return {"UserId": user.user_id}
    return {"UserId": user.user_id, "UserAttributes": _lists(user.attributes)}


def _lists(attributes: Any) -> dict[str, list[str]]:
    return {name: list(one.values) for name, one in attributes.items()}


def _demographic(part: pb.Demographic) -> dict[str, Any]:
    return {DEMOGRAPHIC[field.name]: value for field, value in part.ListFields()}


def _location(part: pb.Location) -> dict[str, Any]:
    return {LOCATION[field.name]: value for field, value in part.ListFields()}


def _instant(moment: Timestamp) -> str:
    return _text(moment.seconds, moment.nanos)


@lru_cache(4096)
def _text(seconds: int, nanos: int) -> str:
    """Endpoints that came together share their times."""
    return Timestamp(seconds=seconds, nanos=nanos).ToJsonString()


_PARTS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "create_time": ("CreationDate", _instant),
    "update_time": ("EffectiveDate", _instant),
    "attributes": ("Attributes", _lists),
    "metrics": ("Metrics", dict),
    "demographic": ("Demographic", _demographic),
    "location": ("Location", _location),
    "user": ("User", _user),
    "refused_topics": ("RefusedTopics", list),
}
