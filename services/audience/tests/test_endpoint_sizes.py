"""How large an endpoint and its user may be, to the byte, and what is refused beyond."""

import json
from typing import Any

import pytest
from audience.endpoints.records import BYTES_MAX
from audience_room import SHOP, Room, name, values
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1 import endpoint_pb2, events_pb2, user_service_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from mesh.errors import Error, InvalidArgument


def attributes_of(size: int, letter: str = "x") -> dict[str, list[str]]:
    """Attributes whose JSON has so many bytes of UTF-8."""
    found: dict[str, list[str]] = {f"a{index}": [letter * 20] * 10 for index in range(10)}
    width = len(letter.encode())
    index = 0
    while (missing := size - encoded(found)) > 400:
        found[f"b{index}"] = [letter * 20] * ((missing - 200) // (20 * width + 3) % 10 or 1)
        index += 1
    found["last"] = [""]
    room = size - encoded(found)
    first = min(room, 90)
    found["last"] = ["y" * first]
    while room := size - encoded(found):
        found["last"].append("y" * min(room - 3, 90))
    return found


def encoded(attributes: dict[str, list[str]]) -> int:
    return len(json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize("letter", ["x", "ä", "日", "🎈"])
async def test_an_endpoint_of_exactly_15_kilobytes_is_taken(room: Room, letter: str) -> None:
    beside = len("token") + len("{}") * 3 + len("[]")
    largest = attributes_of(BYTES_MAX - beside, letter)
    await room.write("e1", channel_type=3, address="token", attributes=values(**largest))
    with pytest.raises(InvalidArgument) as refusal:
        await room.write("e1", address="token1")

    assert refusal.value.reason == "ENDPOINT_TOO_LARGE"
    assert refusal.value.metadata["bytes"] == str(BYTES_MAX + 1)
    assert refusal.value.metadata["bytes_max"] == str(BYTES_MAX)
    assert (await room.read("e1")).address == "token"


async def test_a_user_of_exactly_15_kilobytes_is_taken(room: Room) -> None:
    user = {"name": f"{SHOP}/users/u1", "attributes": values(**attributes_of(BYTES_MAX))}
    await room.users.UpdateUser(user_service_pb2.UpdateUserRequest(user=user, allow_missing=True))
    with pytest.raises(InvalidArgument) as refusal:
        await room.write(
            "e1",
            channel_type=3,
            address="t",
            user={"user_id": "u1", "attributes": values(more=["x"])},
        )

    assert refusal.value.reason == "ENDPOINT_TOO_LARGE"
    assert refusal.value.violations[0].field == "user.attributes"


async def test_what_is_too_large_is_refused_alone(room: Room) -> None:
    large = values(**attributes_of(BYTES_MAX))

    def upsert(endpoint: str, attributes: Any) -> pb.UpdateEndpointRequest:
        one = {"name": name(endpoint), "channel_type": 3, "address": endpoint}
        return pb.UpdateEndpointRequest(
            endpoint=one | {"attributes": attributes}, allow_missing=True
        )

    answer = await room.endpoints.BatchUpdateEndpoints(
        pb.BatchUpdateEndpointsRequest(
            parent=SHOP, requests=[upsert("a", {}), upsert("b", large), upsert("c", {})]
        )
    )

    assert [one.WhichOneof("outcome") for one in answer.results] == [
        *("endpoint", "error", "endpoint")
    ]


async def test_topics_are_refused_and_allowed_again_and_announced(room: Room) -> None:
    await room.write("e1", channel_type=3, address="t")
    await room.write("e1", refused_topics=["news", "offers"])
    kept = await room.write("e1", metrics={"m": 1})
    cleared = await room.endpoints.UpdateEndpoint(
        pb.UpdateEndpointRequest(
            endpoint=endpoint_pb2.Endpoint(name=name("e1")),
            update_mask=FieldMask(paths=["refused_topics"]),
        )
    )

    assert list(kept.refused_topics) == ["news", "offers"]
    assert list(cleared.refused_topics) == []
    events = await room.announced(events_pb2.EndpointOptOutsChanged)
    assert [list(one.changes[0].refused_topics) for one in events] == [["news", "offers"], []]


@pytest.mark.parametrize("topics", [["x" * 101], ["t"] * 51, ["a\0b"]])
async def test_topics_that_are_none_are_refused(room: Room, topics: list[str]) -> None:
    with pytest.raises(Error) as refusal:
        await room.write("e1", channel_type=3, address="t", refused_topics=topics)

    assert refusal.value.code == "INVALID_ARGUMENT"
