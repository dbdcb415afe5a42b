"""Endpoint messages as patches: what a message supplies, or what a field mask names of it."""

from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from heliograph.audience.v1 import endpoint_pb2 as pb
from mesh.aip import field_masks
from mesh.errors.refusals import invalid

from audience.endpoints.patches import Patch
from audience.endpoints.states import Attributes


def supplied(endpoint: str, message: pb.Endpoint) -> Patch:
    """The patch of a message without a mask: every field that is set, merged."""
    user = message.user if message.HasField("user") else None
    return Patch(
        endpoint=endpoint,
        channel_type=message.channel_type,
        address=message.address or None,
        attributes=_attributes(message.attributes) or None,
        metrics=dict(message.metrics) or None,
        demographic=_set_fields(message.demographic) if message.HasField("demographic") else None,
        location=_set_fields(message.location) if message.HasField("location") else None,
        user_id=(user.user_id or None) if user else None,
        user_attributes=(_attributes(user.attributes) or None) if user else None,
        opt_out=message.opt_out,
        status=message.status,
        refused_topics=list(message.refused_topics) or None,
        etag=message.etag,
    )


def masked(endpoint: str, message: pb.Endpoint, mask: FieldMask) -> Patch:
    """The patch of a message under a mask: what the mask names is set, or cleared when not set."""
    if not mask.paths:
        return supplied(endpoint, message)
    patch = Patch(endpoint=endpoint, etag=message.etag)
    replaced: set[str] = set()
    for path in field_masks.effective(mask, message):
        head, _, rest = path.partition(".")
        _SETTERS[head](patch, message, rest, replaced)
    patch.replaced = frozenset(replaced)
    return patch


def _set_channel_type(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    if not message.channel_type:
        raise invalid("CHANNEL_TYPE_MISSING", "channel_type", "an endpoint needs a channel type")
    patch.channel_type = message.channel_type


def _set_address(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    patch.address = message.address


def _set_attributes(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    supplied = _attributes(message.attributes)
    patch.attributes = _entries(patch.attributes, supplied, rest, "attributes", replaced)


def _set_metrics(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    if rest:
        patch.metrics = {**(patch.metrics or {}), rest: message.metrics.get(rest)}
        return
    patch.metrics = dict(message.metrics)
    replaced.add("metrics")


def _set_demographic(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    fields = _all_fields(message.demographic)
    patch.demographic = {**(patch.demographic or {}), **_chosen(fields, rest)}


def _set_location(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    fields = _all_fields(message.location)
    patch.location = {**(patch.location or {}), **_chosen(fields, rest)}


def _set_user(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    if rest in ("", "user_id"):
        patch.user_id = message.user.user_id
    if rest == "user_id":
        return
    name = rest.removeprefix("attributes").removeprefix(".")
    supplied = _attributes(message.user.attributes)
    patch.user_attributes = _entries(
        patch.user_attributes, supplied, name, "user_attributes", replaced
    )


def _set_opt_out(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    patch.opt_out = message.opt_out or pb.Endpoint.NONE


def _set_status(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    patch.status = message.status or pb.Endpoint.ACTIVE


def _set_topics(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    patch.refused_topics = list(message.refused_topics)


def _set_etag(patch: Patch, message: pb.Endpoint, rest: str, replaced: set[str]) -> None:
    """The etag is checked, never written."""


_SETTERS: Final = {
    "channel_type": _set_channel_type,
    "address": _set_address,
    "attributes": _set_attributes,
    "metrics": _set_metrics,
    "demographic": _set_demographic,
    "location": _set_location,
    "user": _set_user,
    "opt_out": _set_opt_out,
    "status": _set_status,
    "refused_topics": _set_topics,
    "etag": _set_etag,
}


def _entries(
    before: Attributes | None, supplied: Attributes, name: str, field: str, replaced: set[str]
) -> Attributes:
    if name:
        return {**(before or {}), name: supplied.get(name, [])}
    replaced.add(field)
    return supplied


def _attributes(attributes: Any) -> Attributes:
    return {name: list(values.values) for name, values in attributes.items()}


def _set_fields(message: Message) -> dict[str, Any]:
    return {field.name: value for field, value in message.ListFields()}


def _all_fields(message: Message) -> dict[str, Any]:
    """Every field; those that are not set as what removes them."""
    return {
        field.name: None
        if field.has_presence and not message.HasField(field.name)
        else getattr(message, field.name)
        for field in message.DESCRIPTOR.fields
    }


def _chosen(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: fields[name]} if name else fields
