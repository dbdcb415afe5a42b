"""Endpoints as messages: this is the inner loop of a run."""

from collections.abc import Callable, Sequence
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
"""What `made` reads, from `endpoint e` and its `user_profile u`."""


@lru_cache(_MOMENTS_KEPT)
def _moment(epoch_seconds: float) -> Timestamp:
    """Endpoints that came together share their times, and a Timestamp costs as much as all else.

    Seconds since 1970 as a double hold microseconds for another two centuries.
    """
    microseconds = round(epoch_seconds * MICROSECONDS)
    seconds, rest = divmod(microseconds, MICROSECONDS)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def made(make: Callable[..., pb.Endpoint], prefix: str, row: Sequence[Any]) -> pb.Endpoint:
    """The Endpoint of a row; `prefix` is `applications/a/endpoints/`.

    `make` is the constructor, or a list's `add`. Maps are filled in place: a message that is made
    of nested dictionaries takes a quarter more time.
    """
    endpoint = make(
        name=prefix + row[0],
        channel_type=row[1],
        address=row[2],
        demographic=row[5] or None,
        location=row[6] or None,
        opt_out=row[8],
        status=row[9],
        refused_topics=row[10],
        create_time=_moment(row[11]),
        update_time=_moment(row[12]),
        etag=f'"{row[13]}"',
        estimated_time_zone=(
            None if "timezone" in row[5] else zone_estimates.estimate(row[1], row[2], row[6])
        ),
    )
    _fill(endpoint.attributes, row[3])
    endpoint.metrics.update(row[4])
    if row[7]:
        user = endpoint.user
        user.user_id = row[7]
        _fill(user.attributes, row[14] or {})
    return endpoint


def message(application: str, row: Sequence[Any]) -> pb.Endpoint:
    """The Endpoint of a row."""
    return made(pb.Endpoint, f"applications/{application}/endpoints/", row)


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


def _fill(attributes: Any, values: Attributes) -> None:
    for name, listed in values.items():
        attributes[name].values.extend(listed)


def _wrapped(attributes: Attributes) -> dict[str, dict[str, list[str]]]:
    return {name: {"values": values} for name, values in attributes.items()}
