"""Segments that are lists: what an import brought, asked like any other segment."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from audience.persons import erased
from audience_room import SHOP, Room, name
from audience_segments import GOLD, audience
from heliograph.audience.v1 import import_job_pb2, segment_pb2
from heliograph.audience.v1 import segment_service_pb2 as pb
from heliograph.audience.v1 import transfer_service_pb2 as transfers_pb
from mesh.errors import Error, FailedPrecondition, InvalidArgument
from mesh.store import engine

Job = import_job_pb2.ImportJob
VIP = f"{SHOP}/segments/vip"


def ids(*endpoints: str) -> bytes:
    return "\n".join(("Id", *endpoints, "")).encode()


def users(*user_ids: str) -> bytes:
    return "\n".join(("User.UserId", *user_ids, "")).encode()


async def brought(room: Room, data: bytes, *, skip: bool = True, **options: Any) -> Job:
    """Import a file whose rows are the members of the segment `vip`."""
    spec = {"segment_id": "vip", "skip_endpoints": skip}
    return await room.imported(data, spec=spec, **options)


async def streamed(room: Room, segment: str, **fields: Any) -> list[str]:
    stream = room.segments.StreamMembers(pb.StreamMembersRequest(name=segment, **fields))
    return [one.name.rpartition("/")[2] async for page in stream for one in page.endpoints]


async def agreed(room: Room, segment: str) -> list[str]:
    """The members of a segment, as all four questions find them."""
    counted = await room.segments.CountSegment(pb.CountSegmentRequest(name=segment))
    preview = await room.segments.PreviewSegment(pb.PreviewSegmentRequest(name=segment))
    everybody = [name(f"e{index}") for index in range(10)]
    checked = await room.segments.CheckMembers(
        pb.CheckMembersRequest(name=segment, endpoints=everybody)
    )
    members = await streamed(room, segment, page_size=2)
    assert counted.total == len(members)
    assert [one.name for one in preview.endpoints] == list(map(name, members))
    assert list(checked.members) == list(map(name, members))
    return members


async def test_what_an_import_brings_becomes_a_segment(room: Room) -> None:
    job = await brought(
        room,
        b"ChannelType,Address,Id\nEMAIL,a@b.io,e1\nEMAIL,b@b.io,e2\nEMAIL,a@b.io,e1\nEMAIL,x,e3\n",
        skip=False,
    )
    segment = await room.segments.GetSegment(pb.GetSegmentRequest(name=VIP))
    version = await room.segments.GetSegmentVersion(pb.GetSegmentVersionRequest(name=job.segment))

    assert (job.state, job.imported_count, job.failed_count) == (Job.SUCCEEDED, 3, 1)
    assert job.segment == f"{VIP}/versions/1"
    assert segment.imported == segment_pb2.ImportedMembers(
        import_job=job.name, endpoint_count=2, counts_by_channel={"EMAIL": 2}
    )
    assert (segment.version, version.segment.imported) == (1, segment.imported)
    assert await agreed(room, VIP) == ["e1", "e2"]


async def test_an_import_again_is_a_new_version_and_the_old_one_stays(room: Room) -> None:
    await audience(room)
    first = await brought(room, ids("e1", "e2", "e7"))
    await room.create_segment(_of(first.segment), "pinned")
    await room.create_segment(_of(VIP), "follows")

    second = await brought(room, ids("e8", "e0"))

    assert second.segment == f"{VIP}/versions/2"
    assert await agreed(room, VIP) == ["e0", "e8"]
    assert await agreed(room, first.segment) == ["e1", "e2", "e7"]
    assert await agreed(room, f"{SHOP}/segments/pinned") == ["e1", "e2", "e7"]
    assert await agreed(room, f"{SHOP}/segments/follows") == ["e0", "e8"]


async def test_lists_are_joined_with_conditions_and_with_each_other(room: Room) -> None:
    await audience(room)
    await brought(room, ids("e1", "e2", "e7", "e8"))
    golden = await room.create_segment(_all(GOLD, _of(VIP)))
    others = await room.create_segment(_all(GOLD, _of(VIP, operator="NONE")))

    assert await agreed(room, golden.name) == ["e2", "e8"]
    assert await agreed(room, others.name) == ["e0", "e4", "e6"]


async def test_a_user_stands_for_all_endpoints_there_are_when_the_list_is_asked(room: Room) -> None:
    await audience(room)
    await room.write("e1", user={"user_id": "ann"})
    job = await brought(room, users("ann", "bob", "ann", "nobody", "a/b"))

    before = await agreed(room, VIP)
    await room.write("e4", user={"user_id": "ann"})
    await room.write("e3", user={"user_id": "bob"})
    await room.write("e1", user={"user_id": "cyd"})

    segment = await room.segments.GetSegment(pb.GetSegmentRequest(name=VIP))
    assert (job.imported_count, job.failed_count) == (4, 1)
    assert await room.failures(job.name) == [(6, "User.UserId", "USER_ID_INVALID")]
    assert (segment.imported.endpoint_count, segment.imported.user_count) == (0, 3)
    assert (before, await agreed(room, VIP)) == (["e1"], ["e3", "e4"])


async def test_endpoints_and_users_are_in_one_list(room: Room) -> None:
    await audience(room)
    await room.write("e1", user={"user_id": "ann"})
    lines = b'{"Id": "e5"}\n{"User": {"UserId": "ann"}}\n{"Id": "e1"}\n'

    job = await brought(room, lines, file_name="people.jsonl")

    assert (job.state, job.imported_count) == (Job.SUCCEEDED, 3)
    assert await agreed(room, VIP) == ["e1", "e5"]


async def test_endpoints_that_are_not_there_are_told_and_none_is_written(room: Room) -> None:
    await audience(room)
    before = await room.read("e8")
    data = (
        b"Id,ChannelType,Address,Attributes.plan\ne8,EMAIL,new@b.io,free\ngone,EMAIL,c@b.io,gold\n"
        b",EMAIL,a9@b.io,free\n,EMAIL,nobody@b.io,free\ne7,,,\n"
    )

    job = await brought(room, data)

    assert (job.imported_count, job.created_count, job.failed_count) == (3, 0, 2)
    assert await room.failures(job.name) == [
        (3, "", "ENDPOINT_NOT_FOUND"),
        (5, "", "ENDPOINT_NOT_FOUND"),
    ]
    assert await room.read("e8") == before
    assert len(await room.listed()) == 10
    assert await agreed(room, VIP) == ["e7", "e8", "e9"]


async def test_a_row_of_a_user_alone_is_refused_where_no_segment_is_defined(room: Room) -> None:
    job = await room.imported(users("ann"))

    assert (job.imported_count, job.failed_count) == (0, 1)
    assert await room.failures(job.name) == [(2, "ChannelType", "CHANNEL_TYPE_MISSING")]


async def test_a_user_who_was_erased_comes_into_no_list(room: Room) -> None:
    async with room.sessions.begin() as session:
        connection = await engine.raw(session)
        await erased.remember(connection, "shop", "ann", [], room.now())

    job = await brought(room, users("ann", "bob"))

    segment = await room.segments.GetSegment(pb.GetSegmentRequest(name=VIP))
    assert await room.failures(job.name) == [(2, "User.UserId", "PERSON_ERASED")]
    assert (job.imported_count, segment.imported.user_count) == (1, 1)


async def test_deleted_endpoints_are_members_no_more(room: Room) -> None:
    from heliograph.audience.v1 import endpoint_service_pb2

    await audience(room)
    await brought(room, ids("e1", "e2"))
    await room.endpoints.DeleteEndpoint(endpoint_service_pb2.DeleteEndpointRequest(name=name("e1")))

    assert await agreed(room, VIP) == ["e2"]


REFUSED: list[tuple[Callable[[Room], Awaitable[Any]], type[Error], str]] = [
    (
        lambda room: room.segments.UpdateSegment(
            pb.UpdateSegmentRequest(segment={"name": VIP, "filter": GOLD})
        ),
        FailedPrecondition,
        "SEGMENT_IMPORTED",
    ),
    (
        lambda room: room.segments.CreateSegment(
            pb.CreateSegmentRequest(parent=SHOP, segment={"imported": {}})
        ),
        InvalidArgument,
        "SEGMENT_IMPORTED",
    ),
    (
        lambda room: room.upload(ids("e1"), spec={"segment_id": "gold"}),
        FailedPrecondition,
        "SEGMENT_NOT_IMPORTED",
    ),
    (
        lambda room: room.transfers.ImportEndpoints(
            transfers_pb.ImportEndpointsRequest(
                parent=SHOP, path="people.csv", spec={"skip_endpoints": True}
            )
        ),
        InvalidArgument,
        "SEGMENT_ID_MISSING",
    ),
]


@pytest.mark.parametrize(("ask", "kind", "reason"), REFUSED)
async def test_a_list_becomes_no_question_and_a_question_no_list(
    room: Room, ask: Callable[[Room], Awaitable[Any]], kind: type[Error], reason: str
) -> None:
    await room.create_segment(GOLD, "gold")
    await brought(room, ids())

    with pytest.raises(kind) as refusal:
        await ask(room)

    assert refusal.value.reason == reason


async def test_a_list_has_a_name_of_its_own_to_be_changed(room: Room) -> None:
    await brought(room, ids())
    segment = await room.segments.GetSegment(pb.GetSegmentRequest(name=VIP))
    segment.display_name = "our best"

    changed = await room.segments.UpdateSegment(pb.UpdateSegmentRequest(segment=segment))

    assert (changed.display_name, changed.version) == ("our best", 1)
    assert changed.imported == segment.imported


def _of(segment: str, operator: str = "ALL") -> dict[str, Any]:
    return {"source_segments": {"operator": operator, "segments": [segment]}}


def _all(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"group": {"operator": "ALL", "filters": filters}}
