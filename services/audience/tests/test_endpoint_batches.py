"""Endpoints in batches and in streams, through the front door."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from audience_room import SHOP, Room, name, values
from google.rpc import code_pb2
from heliograph.audience.v1 import endpoint_pb2, events_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from mesh.errors import InvalidArgument
from mesh.rpc import status

Endpoint = endpoint_pb2.Endpoint


def upsert(endpoint: str, **fields: Any) -> pb.UpdateEndpointRequest:
    return pb.UpdateEndpointRequest(endpoint={"name": name(endpoint), **fields}, allow_missing=True)


async def test_each_write_of_a_batch_has_its_own_result(room: Room) -> None:
    answer = await room.endpoints.BatchUpdateEndpoints(
        pb.BatchUpdateEndpointsRequest(
            parent=SHOP,
            requests=[
                upsert("e1", channel_type=3, address="t1"),
                upsert("e2", channel_type=1, address="nothing"),
                upsert("e3", channel_type=3, address="t3", location={"latitude": 100}),
                upsert("e1", metrics={"m": 1}),
                pb.UpdateEndpointRequest(endpoint={"name": "applications/other/endpoints/e1"}),
                pb.UpdateEndpointRequest(endpoint={"name": name("e9"), "metrics": {"m": 1}}),
            ],
        )
    )

    reasons = [status.to_error(one.error).reason for one in answer.results if one.error.code]
    assert [one.WhichOneof("outcome") for one in answer.results] == [
        *("endpoint", "error", "error", "endpoint", "error", "error")
    ]
    assert reasons == [
        *("ADDRESS_INVALID", "COORDINATE_INVALID", "APPLICATION_MISMATCH", "ENDPOINT_NOT_FOUND")
    ]
    assert answer.results[5].error.code == code_pb2.NOT_FOUND
    assert dict((await room.read("e1")).metrics) == {"m": 1}


async def test_inside_a_batch_the_last_claim_wins(room: Room) -> None:
    await room.write("before", channel_type=3, address="t")
    await room.endpoints.BatchUpdateEndpoints(
        pb.BatchUpdateEndpointsRequest(
            parent=SHOP,
            requests=[upsert(f"e{index}", channel_type=3, address="t") for index in range(3)],
        )
    )

    statuses = [(await room.read(one)).status for one in ("before", "e0", "e1", "e2")]
    assert statuses == [Endpoint.INACTIVE] * 3 + [Endpoint.ACTIVE]
    (event,) = await room.announced(events_pb2.AddressesClaimed)
    assert [(one.former_endpoint, one.endpoint) for one in event.claims] == [
        (name("e0"), name("e1")),
        (name("e1"), name("e2")),
        (name("before"), name("e2")),
    ]


async def test_a_batch_of_names_gives_those_that_exist_and_names_the_others(room: Room) -> None:
    for endpoint in ("a", "b"):
        await room.write(endpoint, channel_type=3, address=endpoint)
    answer = await room.endpoints.BatchGetEndpoints(
        pb.BatchGetEndpointsRequest(
            parent=SHOP, names=[name(one) for one in ("b", "gone", "a", "b", "gone")]
        )
    )

    assert [one.name for one in answer.endpoints] == [name("b"), name("a")]
    assert list(answer.missing) == [name("gone")]


async def test_addresses_find_the_active_endpoints_that_were_changed_last(room: Room) -> None:
    ann, bob, cyd = ("+12065550191", "+12065550192", "+12065550193")
    await room.write("old", channel_type=1, address=ann, metrics={"age": 1})
    await room.write("new", channel_type=1, address=ann, user={"user_id": "ann"})
    await room.write("gone", channel_type=1, address=bob, status=Endpoint.INACTIVE)
    await room.write("voice", channel_type=ChannelType.VOICE, address=cyd)

    answer = await room.endpoints.FindEndpoints(
        pb.FindEndpointsRequest(parent=SHOP, channel_type=1, addresses=[cyd, bob, ann, ann])
    )

    assert [(one.name, one.user.user_id) for one in answer.endpoints] == [(name("new"), "ann")]


async def test_a_name_of_another_application_is_refused(room: Room) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.endpoints.BatchGetEndpoints(
            pb.BatchGetEndpointsRequest(
                parent=SHOP, names=[name("a"), "applications/other/endpoints/b"]
            )
        )

    assert refusal.value.violations[0].field == "names[1]"


async def test_many_are_deleted_in_one_call(room: Room) -> None:
    for endpoint in ("a", "b", "c"):
        await room.write(endpoint, channel_type=3, address=endpoint)
    answer = await room.endpoints.BatchDeleteEndpoints(
        pb.BatchDeleteEndpointsRequest(parent=SHOP, names=[name("a"), name("c"), name("gone")])
    )

    left = await room.endpoints.ListEndpoints(pb.ListEndpointsRequest(parent=SHOP))
    assert answer.deleted_count == 2
    assert [one.name for one in left.endpoints] == [name("b")]


async def test_a_stream_writes_large_sets_and_names_what_it_refuses(room: Room) -> None:
    await room.write("e7", channel_type=3, address="before", attributes=values(kept=["yes"]))

    async def requests() -> AsyncIterator[pb.StreamUpdateEndpointsRequest]:
        for begin in range(0, 5000, 500):
            yield pb.StreamUpdateEndpointsRequest(
                parent=SHOP,
                endpoints=[
                    Endpoint(
                        name=name(f"e{index}"),
                        channel_type=3,
                        address="" if index == 1234 else f"t{index}",
                        user={"user_id": f"u{index % 500}", "attributes": values(n=[str(index)])},
                    )
                    for index in range(begin, begin + 500)
                ],
            )

    answer = await room.endpoints.StreamUpdateEndpoints(requests())

    (refusal,) = answer.refusals
    assert (answer.written_count, answer.refused_count) == (4999, 1)
    assert (refusal.index, refusal.name) == (1234, name("e1234"))
    assert status.to_error(refusal.error).reason == "ADDRESS_MISSING"
    kept = await room.read("e7")
    assert (kept.address, list(kept.attributes["kept"].values)) == ("t7", ["yes"])
    assert list(kept.user.attributes["n"].values) == ["4507"]


async def test_a_stream_keeps_to_one_application(room: Room) -> None:
    await room.create_application("other")

    async def requests() -> AsyncIterator[pb.StreamUpdateEndpointsRequest]:
        for parent in (SHOP, "applications/other"):
            yield pb.StreamUpdateEndpointsRequest(
                parent=parent, endpoints=[Endpoint(name=f"{parent}/endpoints/e1")]
            )

    with pytest.raises(InvalidArgument) as refusal:
        await room.endpoints.StreamUpdateEndpoints(requests())
    assert refusal.value.reason == "APPLICATION_MISMATCH"
