"""The merge rule and the claim of addresses, pure: against a model, and case by case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from audience.endpoints import checks
from audience.endpoints.batches import Batch
from audience.endpoints.merging import merge
from audience.endpoints.patches import Patch
from audience.endpoints.states import State
from heliograph.audience.v1 import endpoint_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st
from mesh.errors import Error, InvalidArgument

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

names = st.sampled_from(["a", "b", "c"])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)
lists = st.lists(texts, max_size=3)
maps = st.none() | st.dictionaries(names, lists, max_size=3)
patches = st.builds(
    Patch,
    endpoint=st.sampled_from(["e1", "e2", "e3"]),
    channel_type=st.sampled_from([3, 7]),
    address=st.sampled_from(["x", "y"]),
    attributes=maps,
    metrics=st.none() | st.dictionaries(names, st.floats(-5, 5) | st.none(), max_size=3),
    demographic=st.none() | st.dictionaries(st.sampled_from(["make", "model"]), texts),
    user_id=st.none() | st.sampled_from(["", "u1", "u2"]),
    opt_out=st.integers(0, 2),
    status=st.integers(0, 2),
    replaced=st.sets(st.sampled_from(["attributes", "metrics"])).map(frozenset),
)


def merged(*writes: Patch) -> State:
    state = None
    for index, patch in enumerate(writes):
        state = merge(state, patch, NOW + timedelta(seconds=index))
    assert state is not None
    return state


@given(first=patches, second=patches)
def test_absent_is_kept_and_supplied_replaces(first: Patch, second: Patch) -> None:
    second.endpoint = first.endpoint

    state = merged(first, second)

    stored = {} if "attributes" in second.replaced else first.attributes or {}
    expected = {**stored, **(second.attributes or {})}
    assert state.attributes == {name: values for name, values in expected.items() if values}
    numbers = {} if "metrics" in second.replaced else first.metrics or {}
    wanted: dict[str, Any] = {**numbers, **(second.metrics or {})}
    assert state.metrics == {name: one for name, one in wanted.items() if one is not None}
    assert state.opt_out == (second.opt_out or first.opt_out or pb.Endpoint.NONE)
    assert state.status == (second.status or pb.Endpoint.ACTIVE)
    assert state.user_id == ((first.user_id or "") if second.user_id is None else second.user_id)
    assert (state.create_time, state.revision) == (NOW, 2)


@given(first=patches, second=patches)
def test_merging_the_same_write_again_changes_only_time_and_revision(
    first: Patch, second: Patch
) -> None:
    second.endpoint = first.endpoint
    once = merged(first, second)
    twice = merge(once, second, once.update_time)

    twice.revision -= 1
    assert twice == once


@given(writes=st.lists(patches, max_size=12))
def test_an_address_has_one_holder_whoever_wrote_last(writes: list[Patch]) -> None:
    batch = Batch("shop", NOW, {}, {})
    for patch in writes:
        batch.apply(patch)

    holders: dict[tuple[int, str], str] = {}
    active: dict[str, bool] = {}
    at: dict[str, tuple[int, str]] = {}
    for patch in writes:
        key = (patch.channel_type, patch.address or "")
        at[patch.endpoint] = key
        active[patch.endpoint] = patch.status != pb.Endpoint.INACTIVE
        if not active[patch.endpoint]:
            continue
        before = holders.get(key)
        if before and before != patch.endpoint and at[before] == key:
            active[before] = False
        holders[key] = patch.endpoint
    found = {one.endpoint: one.status == pb.Endpoint.ACTIVE for one in batch.written.values()}
    assert found == active
    keys = [(one.channel_type, one.address) for one in batch.active()]
    assert len(keys) == len(set(keys))


@given(writes=st.lists(patches, max_size=8))
def test_a_batch_is_the_same_as_one_write_after_the_other(writes: list[Patch]) -> None:
    batch = Batch("shop", NOW, {}, {})
    for patch in writes:
        batch.apply(patch)

    states: dict[str, State] = {}
    for patch in writes:
        states[patch.endpoint] = merge(states.get(patch.endpoint), patch, NOW)
    for endpoint, state in states.items():
        found = batch.written[endpoint]
        found.status = state.status
        assert found == state
    assert {record[1] for _, record in batch.records()} == set(states)


def test_a_refused_write_leaves_no_trace() -> None:
    batch = Batch("shop", NOW, {}, {})
    refused = batch.apply(Patch(endpoint="e1", channel_type=1, address="555"))

    assert isinstance(refused, Error)
    assert not batch.written
    assert not list(batch.records())


def test_a_new_channel_needs_an_address_that_fits_it() -> None:
    state = merged(Patch(endpoint="e1", channel_type=2, address="a@b.io"))

    with pytest.raises(InvalidArgument) as refusal:
        merge(state, Patch(endpoint="e1", channel_type=1), LATER)
    assert refusal.value.reason == "ADDRESS_INVALID"


def test_a_coordinate_alone_is_refused_unless_its_other_half_is_stored() -> None:
    whole = merged(
        Patch(
            endpoint="e1",
            channel_type=3,
            address="t",
            location={"latitude": 52.5, "longitude": 13.4},
        )
    )

    assert merge(whole, Patch(endpoint="e1", location={"latitude": 1.0}), LATER).location == {
        "latitude": 1.0,
        "longitude": 13.4,
    }
    with pytest.raises(InvalidArgument):
        merge(whole, Patch(endpoint="e1", location={"latitude": None}), LATER)


@pytest.mark.parametrize(
    ("given_degrees", "stored"), [(52.5167, 52.5), (-0.04, 0.0), (13.45, 13.4), (-179.99, -180.0)]
)
def test_coordinates_are_kept_to_one_decimal(given_degrees: float, stored: float) -> None:
    patch = Patch(endpoint="e1", location={"longitude": given_degrees})
    checks.check(patch)

    assert patch.location == {"longitude": stored}
    assert str(patch.location["longitude"]) == str(stored)


@pytest.mark.parametrize(
    ("text", "code"), [("DE", "DE"), ("de", "DE"), ("DEU", "DE"), (" usa ", "US"), ("XK", "XK")]
)
def test_countries_come_in_two_or_three_letters(text: str, code: str) -> None:
    patch = Patch(endpoint="e1", location={"country": text})
    checks.check(patch)

    assert patch.location == {"country": code}
