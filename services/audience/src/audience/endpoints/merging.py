"""The merge rule (Pinpoint `UpdateEndpoint`): what is absent is kept, what is supplied overwrites.

A supplied attribute replaces its whole list of values. A written endpoint becomes ACTIVE unless the
write says otherwise.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from heliograph.audience.v1 import endpoint_pb2 as pb
from mesh.aip import etags
from mesh.errors import AlreadyExists, NotFound
from mesh.errors.refusals import invalid

from audience.endpoints import addresses
from audience.endpoints.checks import ATTRIBUTES_MAX
from audience.endpoints.patches import Checked, Patch
from audience.endpoints.states import State

Value = TypeVar("Value")


def merge(state: State | None, patch: Patch, now: datetime) -> State:
    """The endpoint after the write; refuses a write that leaves no whole endpoint behind."""
    merged = _created(patch, now) if state is None else _changed(state, patch, now)
    if patch.user_attributes and not merged.user_id:
        raise invalid("USER_ID_MISSING", "user.user_id", "user attributes need a user id")
    if ("latitude" in merged.location) != ("longitude" in merged.location):
        description = "latitude and longitude come together"
        raise invalid("COORDINATE_INCOMPLETE", "location", description)
    if len(merged.attributes) + len(merged.metrics) > ATTRIBUTES_MAX:
        description = f"more than {ATTRIBUTES_MAX} attributes and metrics"
        raise invalid("ATTRIBUTES_TOO_MANY", "attributes", description)
    return merged


def _created(patch: Patch, now: datetime) -> State:
    if patch.update_only:
        message = f"endpoint {patch.endpoint} does not exist"
        raise NotFound("ENDPOINT_NOT_FOUND", message, endpoint=patch.endpoint)
    if not patch.channel_type:
        raise invalid("CHANNEL_TYPE_MISSING", "channel_type", "a new endpoint needs a channel type")
    if not patch.address:
        raise invalid("ADDRESS_MISSING", "address", "a new endpoint needs an address")
    return State(
        endpoint=patch.endpoint,
        channel_type=patch.channel_type,
        address=addresses.canonical(patch.channel_type, patch.address),
        attributes=_entries({}, patch.attributes),
        metrics=_entries({}, patch.metrics),
        demographic=_entries({}, patch.demographic),
        location=_entries({}, patch.location),
        user_id=patch.user_id or "",
        opt_out=patch.opt_out or pb.Endpoint.NONE,
        status=patch.status or pb.Endpoint.ACTIVE,
        refused_topics=patch.refused_topics or [],
        create_time=now,
        update_time=now,
        revision=1,
    )


def _changed(state: State, patch: Patch, now: datetime) -> State:
    if patch.create_only:
        message = f"endpoint {patch.endpoint} exists already"
        raise AlreadyExists("ENDPOINT_EXISTS", message, endpoint=patch.endpoint)
    etags.check(state.revision, patch.etag)
    channel_type, address = _reached(state, patch)
    return State(
        endpoint=state.endpoint,
        channel_type=channel_type,
        address=address,
        attributes=_merged("attributes", state.attributes, patch.attributes, patch),
        metrics=_merged("metrics", state.metrics, patch.metrics, patch),
        demographic=_merged("demographic", state.demographic, patch.demographic, patch),
        location=_merged("location", state.location, patch.location, patch),
        user_id=state.user_id if patch.user_id is None else patch.user_id,
        opt_out=patch.opt_out or state.opt_out,
        status=patch.status or (state.status if patch.keeps_status else pb.Endpoint.ACTIVE),
        refused_topics=_or(patch.refused_topics, state.refused_topics),
        create_time=state.create_time,
        update_time=now,
        revision=state.revision + 1,
    )


def _reached(state: State, patch: Patch) -> tuple[int, str]:
    """Channel and address after the write; a stored address must also fit a new channel."""
    channel_type = patch.channel_type or state.channel_type
    if patch.address == "":
        raise invalid("ADDRESS_MISSING", "address", "an endpoint needs an address")
    if patch.address is None and channel_type == state.channel_type:
        return channel_type, state.address
    return channel_type, addresses.canonical(channel_type, patch.address or state.address)


def _merged(
    field: str,
    stored: dict[str, Value],
    supplied: Mapping[str, Value | None] | None,
    patch: Patch,
) -> dict[str, Value]:
    if field in patch.replaced:
        return _entries({}, supplied)
    return _entries(stored, supplied) if supplied else stored


def _entries(
    stored: dict[str, Value], supplied: Mapping[str, Value | None] | None
) -> dict[str, Value]:
    """Entries of both; a supplied empty value takes its entry away."""
    if not supplied:
        return stored
    if not stored and isinstance(supplied, Checked):
        return supplied
    merged: dict[str, Any] = {**stored, **supplied}
    if all(merged.values()):
        return merged
    return {name: value for name, value in merged.items() if value or value == 0}


def _or(supplied: list[str] | None, stored: list[str]) -> list[str]:
    return stored if supplied is None else supplied
