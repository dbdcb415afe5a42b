"""Endpoints in the shape of Pinpoint's exports (`EndpointResponse`), as an import reads them."""

from typing import TYPE_CHECKING, Any, Final

from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import endpoint_pb2 as pb

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

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
    _, application, _, endpoint_id = endpoint.name.split("/", 3)
    parts = {
        "Attributes": _lists(endpoint.attributes),
        "Metrics": dict(endpoint.metrics),
        "Demographic": _stated(endpoint.demographic, DEMOGRAPHIC),
        "Location": _stated(endpoint.location, LOCATION),
        "User": _user(endpoint.user),
        "RefusedTopics": list(endpoint.refused_topics),
    }
    return {
        "Id": endpoint_id,
        "ApplicationId": application,
        "ChannelType": CHANNELS[endpoint.channel_type],
        "Address": endpoint.address,
        "OptOut": _OPT_OUTS[endpoint.opt_out],
        "EndpointStatus": _STATUSES[endpoint.status],
        "CreationDate": _instant(endpoint.create_time),
        "EffectiveDate": _instant(endpoint.update_time),
        **{name: part for name, part in parts.items() if part},
    }


def _user(user: pb.User) -> dict[str, Any]:
    if not user.user_id:
        return {}
    attributes = _lists(user.attributes)
    return {"UserId": user.user_id, **({"UserAttributes": attributes} if attributes else {})}


def _lists(attributes: Any) -> dict[str, list[str]]:
    return {name: list(one.values) for name, one in attributes.items()}


def _stated(part: Any, names: dict[str, str]) -> dict[str, Any]:
    return {names[field.name]: value for field, value in part.ListFields()}


def _instant(moment: "Timestamp") -> str:
    return moment.ToJsonString()
