"""Endpoints as messages, built in one constructor call each: this is the inner loop of a run."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.audience.v1 import endpoint_pb2 as pb

from audience.endpoints import zone_estimates
from audience.endpoints.batches import Batch
from audience.endpoints.states import Attributes, State
from audience.moments import timestamp

MICROSECONDS: Final = 1_000_000
_MOMENTS_KEPT: Final = 4096

SELECTED: Final = (
    "e.endpoint, e.channel_type, e.address, e.attributes, e.metrics, e.demographic, e.location,"
    " e.user_id, e.opt_out, e.status, e.refused_topics, date_part('epoch', e.create_time),"
    " date_part('epoch', e.update_time), e.revision, u.attributes"
)
"""What `arguments` reads, from `endpoint e` and its `user_profile u`."""


@lru_cache(_MOMENTS_KEPT)
def _moment(epoch_seconds: float) -> Timestamp:
    """Endpoints that came together share their times, and a Timestamp costs as much as all else.

    Seconds since 1970 as a double hold microseconds for another two centuries.
    """
    microseconds = round(epoch_seconds * MICROSECONDS)
    seconds, rest = divmod(microseconds, MICROSECONDS)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def arguments(prefix: str, row: Sequence[Any]) -> dict[str, Any]:
    """Constructor arguments of the Endpoint of a row; `prefix` is `applications/a/endpoints/`."""
    return {
        "name": prefix + row[0],
        "channel_type": row[1],
        "address": row[2],
        "attributes": _wrapped(row[3]),
        "metrics": row[4],
        "demographic": row[5] or None,
        "location": row[6] or None,
        "user": _user(row[7], row[14]) if row[7] else None,
        "opt_out": row[8],
        "status": row[9],
        "refused_topics": row[10],
        "create_time": _moment(row[11]),
        "update_time": _moment(row[12]),
        "etag": f'"{row[13]}"',
        "estimated_time_zone": (
            None if "timezone" in row[5] else zone_estimates.estimate(row[1], row[2], row[6])
        ),
    }


def message(application: str, row: Sequence[Any]) -> pb.Endpoint:
    """The Endpoint of a row."""
    return pb.Endpoint(**arguments(f"applications/{application}/endpoints/", row))


def stored(application: str, batch: Batch, state: State) -> pb.Endpoint:
    """The Endpoint of a state of a batch that was just stored."""
    user = batch.user_of(state)
    return written(application, state, user.attributes if user else {})


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
        "create_time": timestamp(state.create_time),
        "update_time": timestamp(state.update_time),
        "etag": f'"{state.revision}"',
        "estimated_time_zone": (
            None
            if "timezone" in state.demographic
            else zone_estimates.estimate(state.channel_type, state.address, state.location)
        ),
    }
    return pb.Endpoint(**fields)


def _user(user_id: str, attributes: Attributes | None) -> dict[str, Any]:
    if not attributes:
        return {"user_id": user_id}
    return {"user_id": user_id, "attributes": _wrapped(attributes)}


def _wrapped(attributes: Attributes) -> dict[str, dict[str, list[str]]]:
    return {name: {"values": values} for name, values in attributes.items()}
