"""Endpoints as messages, built in one constructor call each: this is the inner loop of a run."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from heliograph.audience.v1 import endpoint_pb2 as pb

from audience.endpoints.states import Attributes, State

SELECTED: Final = (
    "e.endpoint, e.channel_type, e.address, e.attributes, e.metrics, e.demographic, e.location,"
    " e.user_id, e.opt_out, e.status, e.refused_topics, e.create_time, e.update_time, e.revision,"
    " u.attributes"
)
"""What `arguments` reads, from `endpoint e` and its `user_profile u`."""

_decode = msgspec.json.Decoder().decode
_decode_attributes = msgspec.json.Decoder(dict[str, list[str]]).decode


def arguments(prefix: str, row: Sequence[Any]) -> dict[str, Any]:
    """Constructor arguments of the Endpoint of a row; `prefix` is `applications/a/endpoints/`."""
    # Empty maps are the common case, and comparing is cheaper than decoding.
    return {
        "name": prefix + row[0],
        "channel_type": row[1],
        "address": row[2],
        "attributes": None if row[3] == "{}" else _values(row[3]),
        "metrics": None if row[4] == "{}" else _decode(row[4]),
        "demographic": None if row[5] == "{}" else _decode(row[5]),
        "location": None if row[6] == "{}" else _decode(row[6]),
        "user": _user(row[7], row[14]) if row[7] else None,
        "opt_out": row[8],
        "status": row[9],
        "refused_topics": None if row[10] == "[]" else _decode(row[10]),
        "create_time": row[11],
        "update_time": row[12],
        "etag": f'"{row[13]}"',
    }


def message(application: str, row: Sequence[Any]) -> pb.Endpoint:
    """The Endpoint of a row."""
    return pb.Endpoint(**arguments(f"applications/{application}/endpoints/", row))


def written(application: str, state: State, user_attributes: Attributes) -> pb.Endpoint:
    """The Endpoint of a state, as it was just written."""
    user = {"user_id": state.user_id, "attributes": _wrapped(user_attributes)}
    fields: dict[str, Any] = {
        "name": f"applications/{application}/endpoints/{state.endpoint}",
        "channel_type": state.channel_type,
        "address": state.address,
        "attributes": _wrapped(state.attributes),
        "metrics": state.metrics,
        "demographic": state.demographic or None,
        "location": state.location or None,
        "user": user if state.user_id else None,
        "opt_out": state.opt_out,
        "status": state.status,
        "refused_topics": state.refused_topics,
        "create_time": state.create_time,
        "update_time": state.update_time,
        "etag": f'"{state.revision}"',
    }
    return pb.Endpoint(**fields)


def _user(user_id: str, attributes: str | None) -> dict[str, Any]:
    if not attributes or attributes == "{}":
        return {"user_id": user_id}
    return {"user_id": user_id, "attributes": _values(attributes)}


def _values(text: str) -> dict[str, dict[str, list[str]]]:
    return {name: {"values": values} for name, values in _decode_attributes(text).items()}


def _wrapped(attributes: Attributes) -> dict[str, dict[str, list[str]]]:
    return {name: {"values": values} for name, values in attributes.items()}
