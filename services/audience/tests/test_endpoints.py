"""Endpoints one by one, through the front door."""

import asyncio

import pytest
from audience_room import SHOP, Room, name, values
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1 import endpoint_pb2, events_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from mesh.errors import Aborted, AlreadyExists, Error, NotFound

Endpoint = endpoint_pb2.Endpoint
PHONE = {"channel_type": 1, "address": "+14155550123"}


async def test_an_endpoint_comes_back_as_it_was_written(room: Room) -> None:
    written = await room.write(
        "e1",
        **PHONE,
        attributes=values(interest=["golf", "chess"], empty=[]),
        metrics={"age": 31},
        demographic={"timezone": "Europe/Berlin", "make": "LG"},
        location={"country": "deu", "latitude": 52.5167, "longitude": 13.3833},
        user={"user_id": "u1", "attributes": values(tier=["gold"])},
        refused_topics=["newsletter"],
    )

    read = await room.read("e1")
    assert read == written
    assert read.name == name("e1")
    assert dict(read.attributes) == {"interest": endpoint_pb2.Values(values=["golf", "chess"])}
    assert (read.status, read.opt_out) == (Endpoint.ACTIVE, Endpoint.NONE)
    assert read.location.country == "DE"
    assert (read.location.latitude, read.location.longitude) == (52.5, 13.4)
    assert list(read.user.attributes["tier"].values) == ["gold"]
    assert list(read.refused_topics) == ["newsletter"]


async def test_absent_is_kept_and_a_supplied_attribute_replaces_its_list(room: Room) -> None:
    await room.write("e1", **PHONE, attributes=values(a=["1", "2"], b=["3"]), metrics={"m": 1})
    await room.write("e1", attributes=values(a=["9"]), location={"city": "Berlin"})
    read = await room.write("e1", location={"country": "DE"})

    assert {key: list(one.values) for key, one in read.attributes.items()} == {
        "a": ["9"],
        "b": ["3"],
    }
    assert dict(read.metrics) == {"m": 1}
    assert (read.location.city, read.location.country) == ("Berlin", "DE")
    assert read.address == PHONE["address"]


async def test_user_attributes_are_shared_by_all_endpoints_of_the_user(room: Room) -> None:
    await room.write("e1", **PHONE, user={"user_id": "u1", "attributes": values(tier=["gold"])})
    other = await room.write("e2", channel_type=2, address="a@b.io", user={"user_id": "u1"})
    await room.write("e2", user={"attributes": values(tier=["silver"], since=["2020"])})

    first = await room.read("e1")
    assert list(other.user.attributes["tier"].values) == ["gold"]
    assert {key: list(one.values) for key, one in first.user.attributes.items()} == {
        "tier": ["silver"],
        "since": ["2020"],
    }


async def test_a_mask_clears_what_it_names_and_keeps_the_rest(room: Room) -> None:
    await room.write(
        "e1", **PHONE, attributes=values(a=["1"], b=["2"]), metrics={"m": 1}, opt_out=Endpoint.ALL
    )
    await room.endpoints.UpdateEndpoint(
        pb.UpdateEndpointRequest(
            endpoint={"name": name("e1"), "attributes": values(b=["3"])},
            update_mask=FieldMask(paths=["attributes.a", "metrics"]),
        )
    )

    read = await room.read("e1")
    assert {key: list(one.values) for key, one in read.attributes.items()} == {"b": ["2"]}
    assert not read.metrics
    assert read.opt_out == Endpoint.ALL


async def test_an_update_without_allow_missing_creates_nothing(room: Room) -> None:
    with pytest.raises(NotFound) as refusal:
        await room.endpoints.UpdateEndpoint(
            pb.UpdateEndpointRequest(endpoint={"name": name("e1"), **PHONE})
        )

    assert refusal.value.reason == "ENDPOINT_NOT_FOUND"


async def test_the_newest_holder_of_an_address_wins(room: Room) -> None:
    await room.write("old", **PHONE)
    await room.write("mail", channel_type=2, address="a@b.io")
    await room.write("new", channel_type=1, address="+1 (415) 555-0123")

    assert (await room.read("old")).status == Endpoint.INACTIVE
    assert (await room.read("new")).status == Endpoint.ACTIVE
    assert (await room.read("mail")).status == Endpoint.ACTIVE
    (event,) = await room.announced(events_pb2.AddressesClaimed)
    (claim,) = event.claims
    assert (claim.endpoint, claim.former_endpoint) == (name("new"), name("old"))


async def test_an_inactive_endpoint_that_is_written_again_takes_its_address_back(
    room: Room,
) -> None:
    await room.write("old", **PHONE)
    await room.write("new", **PHONE)
    await room.write("old", metrics={"visits": 2})

    assert (await room.read("old")).status == Endpoint.ACTIVE
    assert (await room.read("new")).status == Endpoint.INACTIVE


async def test_many_who_claim_one_address_at_once_leave_one_holder(room: Room) -> None:
    await asyncio.gather(*(room.write(f"e{index}", **PHONE) for index in range(12)))

    read = [await room.read(f"e{index}") for index in range(12)]
    assert [one.status for one in read].count(Endpoint.ACTIVE) == 1


async def test_many_who_write_one_endpoint_at_once_lose_nothing(room: Room) -> None:
    await asyncio.gather(*(room.write("e1", **PHONE, metrics={f"m{i}": i}) for i in range(12)))

    assert len((await room.read("e1")).metrics) == 12


async def test_a_changed_opt_out_is_announced(room: Room) -> None:
    await room.write("e1", **PHONE)
    await room.write("e1", opt_out=Endpoint.ALL)
    await room.write("e1", metrics={"m": 1})

    (event,) = await room.announced(events_pb2.EndpointOptOutsChanged)
    (change,) = event.changes
    assert (change.endpoint, change.opted_out, change.source) == (name("e1"), True, "api")


async def test_a_stale_etag_is_refused(room: Room) -> None:
    written = await room.write("e1", **PHONE)
    await room.write("e1", metrics={"m": 1})

    with pytest.raises(Aborted) as refusal:
        await room.write("e1", etag=written.etag, metrics={"m": 2})
    assert refusal.value.reason == "ETAG_MISMATCH"


async def test_creating_gives_an_id_and_refuses_a_second_one(room: Room) -> None:
    request = pb.CreateEndpointRequest(parent=SHOP, endpoint=PHONE, request_id="r1")
    created = await room.endpoints.CreateEndpoint(request)
    again = await room.endpoints.CreateEndpoint(request)

    with pytest.raises(AlreadyExists) as refusal:
        await room.endpoints.CreateEndpoint(pb.CreateEndpointRequest(parent=SHOP, endpoint=PHONE))
    assert created == again
    assert refusal.value.reason == "ENDPOINT_EXISTS"


async def test_deleting_is_announced_and_final(room: Room) -> None:
    await room.write("e1", **PHONE)
    await room.endpoints.DeleteEndpoint(pb.DeleteEndpointRequest(name=name("e1")))

    with pytest.raises(NotFound):
        await room.read("e1")
    with pytest.raises(NotFound):
        await room.endpoints.DeleteEndpoint(pb.DeleteEndpointRequest(name=name("e1")))
    await room.endpoints.DeleteEndpoint(
        pb.DeleteEndpointRequest(name=name("e1"), allow_missing=True)
    )
    (event,) = await room.announced(events_pb2.EndpointsDeleted)
    assert list(event.endpoints) == [name("e1")]


async def test_endpoints_are_listed_by_id_in_pages(room: Room) -> None:
    for index in range(5):
        await room.write(f"e{index}", channel_type=3, address=f"token{index}")
    first = await room.endpoints.ListEndpoints(pb.ListEndpointsRequest(parent=SHOP, page_size=3))
    rest = await room.endpoints.ListEndpoints(
        pb.ListEndpointsRequest(parent=SHOP, page_size=3, page_token=first.next_page_token)
    )

    assert [one.name for one in (*first.endpoints, *rest.endpoints)] == [
        name(f"e{index}") for index in range(5)
    ]
    assert not rest.next_page_token


async def test_an_odd_id_survives(room: Room) -> None:
    odd = "Ä b:c%2F'\"\\ 🎈"
    await room.write(odd, **PHONE)

    assert (await room.read(odd)).name == name(odd)


async def test_an_id_with_a_slash_is_refused(room: Room) -> None:
    with pytest.raises(Error) as refusal:
        await room.write("a/b", **PHONE)

    assert refusal.value.reason == "RESOURCE_NAME_INVALID"
