"""Attributes taken away from everybody, by name and by glob."""

import fnmatch
import re
from typing import Any

import pytest
from audience.removals import globs
from audience.removals.removing import Removing, kind
from audience.transfers.worker import Worker
from audience_room import SHOP, Room, values
from google.longrunning import operations_pb2
from google.rpc import code_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from heliograph.audience.v1 import user_service_pb2
from hypothesis import given
from hypothesis import strategies as st
from mesh.errors import InvalidArgument, NotFound

Request = pb.RemoveAttributesRequest


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_a_glob_fits_what_the_standard_library_says(pattern: str, name: str) -> None:
    assert globs.matches(pattern, name) == bool(re.fullmatch(fnmatch.translate(pattern), name))


def test_a_glob_of_many_stars_ends_soon() -> None:
    assert not globs.matches("*a" * 25, "a" * 24 + "b" * 26)


@pytest.mark.parametrize("name", ["[ab]", "a.b", "a b", "ä"])
def test_other_characters_mean_themselves(name: str) -> None:
    assert globs.matches(name, name)
    assert not globs.matches("[ab]", "a")


async def removal(room: Room, what: Any, *patterns: str, **more: Any) -> operations_pb2.Operation:
    return await room.endpoints.RemoveAttributes(
        Request(parent=SHOP, kind=what, patterns=patterns, **more)
    )


async def work(room: Room, database_url: str, page_rows: int = 2) -> None:
    worker = Worker(database_url, room.sessions, kind(room.sessions, page_rows=page_rows))
    while await worker.step():
        pass


async def told(room: Room, operation: operations_pb2.Operation) -> operations_pb2.Operation:
    asked = operations_pb2.GetOperationRequest(name=operation.name)
    return await room.operations.GetOperation(asked)


async def people(room: Room) -> None:
    for index in range(5):
        await room.write(
            f"e{index}",
            channel_type=3,
            address=f"t{index}",
            attributes=values(tmp_a=["x"], tmp_b=["y"], kept=[str(index)]),
            metrics={"tmp_a": 1, "age": index},
            user={"user_id": f"u{index}", "attributes": values(tmp_a=["z"], tier=["gold"])},
        )
    await room.write("plain", channel_type=3, address="plain")


async def test_names_and_globs_go_from_every_endpoint(room: Room, database_url: str) -> None:
    await people(room)
    before = await room.read("e0")
    operation = await removal(room, Request.ATTRIBUTES, "tmp_*", "gone")
    assert not operation.done
    await work(room, database_url)

    done = await told(room, operation)
    response, progress = pb.RemoveAttributesResponse(), pb.RemoveAttributesMetadata()
    assert done.response.Unpack(response)
    assert done.metadata.Unpack(progress)
    assert list(response.removed_attributes) == ["tmp_a", "tmp_b"]
    assert (response.changed_count, progress.scanned_count) == (5, 6)
    after = await room.read("e0")
    assert (set(after.attributes), set(after.metrics)) == ({"kept"}, {"tmp_a", "age"})
    assert set(after.user.attributes) == {"tmp_a", "tier"}
    assert (after.update_time, after.etag) == (before.update_time, '"2"')


async def test_metrics_and_user_attributes_go_alone(room: Room, database_url: str) -> None:
    await people(room)
    await removal(room, Request.METRICS, "ag?")
    await removal(room, Request.USER_ATTRIBUTES, "tmp_a")
    await work(room, database_url)

    after = await room.read("e4")
    assert set(after.metrics) == {"tmp_a"}
    assert set(after.user.attributes) == {"tier"}
    assert set(after.attributes) == {"tmp_a", "tmp_b", "kept"}
    user = await room.users.GetUser(user_service_pb2.GetUserRequest(name=f"{SHOP}/users/u4"))
    assert set(user.attributes) == {"tier"}


async def test_a_removal_goes_on_after_the_last_page_that_was_committed(
    room: Room, database_url: str
) -> None:
    await people(room)
    operation = await removal(room, Request.ATTRIBUTES, "kept")
    first = Removing(room.sessions, page_rows=2)
    await first.step("shop", operation.name.rpartition("/")[2])
    assert [bool((await room.read(f"e{index}")).attributes["kept"].values) for index in (1, 2)] == [
        *(False, True)
    ]
    await work(room, database_url)

    response = pb.RemoveAttributesResponse()
    assert (await told(room, operation)).response.Unpack(response)
    assert response.changed_count == 5


async def test_a_removal_can_be_stopped(room: Room, database_url: str) -> None:
    await people(room)
    operation = await removal(room, Request.ATTRIBUTES, "kept")
    await room.operations.CancelOperation(
        operations_pb2.CancelOperationRequest(name=operation.name)
    )
    await work(room, database_url)

    done = await told(room, operation)
    assert (done.done, done.error.code) == (True, code_pb2.CANCELLED)
    assert "kept" in (await room.read("e4")).attributes


async def test_the_same_request_is_one_removal(room: Room) -> None:
    first = await removal(room, Request.METRICS, "m", request_id="r1")
    again = await removal(room, Request.METRICS, "m", request_id="r1")

    assert first.name == again.name


async def test_other_applications_keep_theirs(room: Room, database_url: str) -> None:
    await room.create_application("other")
    await people(room)
    await room.endpoints.RemoveAttributes(
        Request(parent="applications/other", kind=Request.ATTRIBUTES, patterns=["*"])
    )
    await work(room, database_url)

    assert "kept" in (await room.read("e0")).attributes


async def test_what_no_name_fits_is_refused(room: Room) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await removal(room, Request.ATTRIBUTES, "a\tb")
    with pytest.raises(NotFound):
        await room.endpoints.RemoveAttributes(
            Request(parent="applications/nobody", kind=Request.METRICS, patterns=["a"])
        )

    assert refusal.value.violations[0].field == "patterns[0]"
