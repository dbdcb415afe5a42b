"""Segments, through the front door: their members, versions and ends."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from audience_room import SHOP, Room, name
from audience_segments import EVERYBODY, GOLD, audience
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1 import events_pb2
from heliograph.audience.v1 import segment_service_pb2 as pb
from mesh.errors import NotFound


async def pages(room: Room, request: pb.StreamMembersRequest) -> list[pb.MemberPage]:
    stream: AsyncIterator[pb.MemberPage] = room.segments.StreamMembers(request)
    return [page async for page in stream]


async def test_count_tells_members_those_within_reach_and_channels(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD, "gold")

    counted = await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))

    assert (counted.total, counted.eligible) == (5, 3)
    assert dict(counted.counts_by_channel) == {"EMAIL": 1, "PUSH_FCM": 4}
    assert dict(counted.eligible_by_channel) == {"EMAIL": 1, "PUSH_FCM": 2}


async def test_members_stream_in_pages_by_id_also_those_out_of_reach(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD)

    streamed = await pages(room, pb.StreamMembersRequest(name=segment.name, page_size=2))

    assert [[one.name for one in page.endpoints] for page in streamed] == [
        [name("e0"), name("e2")],
        [name("e4"), name("e6")],
        [name("e8")],
    ]
    assert [page.last for page in streamed] == ["e2", "e6", "e8"]
    assert streamed[0].endpoints[0] == await room.read("e0")


async def test_a_stream_goes_on_after_a_key_and_ends_at_its_read_time(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(EVERYBODY)
    read_time = datetime.now(UTC)
    await room.write("e5x", channel_type=3, address="late")

    request = pb.StreamMembersRequest(name=segment.name, after="e4", read_time=read_time)
    (page,) = await pages(room, request)

    assert [one.name for one in page.endpoints] == [name(f"e{index}") for index in range(5, 10)]


async def test_a_segment_without_members_streams_nothing(room: Room) -> None:
    segment = await room.create_segment(GOLD)

    assert await pages(room, pb.StreamMembersRequest(name=segment.name)) == []


async def test_a_preview_takes_a_saved_segment_or_a_filter(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD)
    saved = await room.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=segment.name, page_size=3)
    )
    rest = await room.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=segment.name, page_size=3, page_token=saved.next_page_token)
    )
    inline = await room.segments.PreviewSegment(pb.PreviewSegmentRequest(name=SHOP, filter=GOLD))

    assert [*saved.endpoints, *rest.endpoints] == list(inline.endpoints)
    assert len(inline.endpoints) == 5


async def test_members_are_told_from_others(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD)

    answer = await room.segments.CheckMembers(
        pb.CheckMembersRequest(
            name=segment.name, endpoints=[name(one) for one in ("e4", "e1", "gone", "e0")]
        )
    )

    assert list(answer.members) == [name("e4"), name("e0")]


async def test_a_new_definition_is_a_new_version_and_the_old_one_stays(room: Room) -> None:
    await audience(room)
    first = await room.create_segment(GOLD, "vip")
    renamed = await room.segments.UpdateSegment(
        pb.UpdateSegmentRequest(
            segment={"name": first.name, "display_name": "VIP"},
            update_mask=FieldMask(paths=["display_name"]),
        )
    )
    second = await room.segments.UpdateSegment(
        pb.UpdateSegmentRequest(segment={"name": first.name, "filter": EVERYBODY})
    )

    pinned = await room.segments.CountSegment(
        pb.CountSegmentRequest(name=f"{first.name}/versions/1")
    )
    newest = await room.segments.CountSegment(pb.CountSegmentRequest(name=first.name))
    listed = await room.segments.ListSegmentVersions(
        pb.ListSegmentVersionsRequest(parent=first.name)
    )
    assert (first.version, renamed.version, second.version) == (1, 1, 2)
    assert (renamed.display_name, second.display_name) == ("VIP", "VIP")
    assert (pinned.total, newest.total) == (5, 10)
    assert [one.name for one in listed.versions] == [
        f"{first.name}/versions/2",
        f"{first.name}/versions/1",
    ]
    with pytest.raises(NotFound) as refusal:
        await room.segments.GetSegmentVersion(
            pb.GetSegmentVersionRequest(name=f"{first.name}/versions/3")
        )
    assert refusal.value.reason == "SEGMENT_VERSION_NOT_FOUND"


async def test_deleting_a_segment_is_announced(room: Room) -> None:
    segment = await room.create_segment(GOLD, "gold")
    await room.segments.DeleteSegment(pb.DeleteSegmentRequest(name=segment.name))

    with pytest.raises(NotFound) as refusal:
        await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    (event,) = await room.announced(events_pb2.SegmentDeleted)
    assert refusal.value.reason == "SEGMENT_NOT_FOUND"
    assert event.segment == segment.name


async def test_creating_is_safe_to_repeat(room: Room) -> None:
    request = pb.CreateSegmentRequest(parent=SHOP, segment={"filter": GOLD}, request_id="r1")
    first = await room.segments.CreateSegment(request)
    again = await room.segments.CreateSegment(request)

    listed = await room.segments.ListSegments(pb.ListSegmentsRequest(parent=SHOP))
    assert first == again
    assert list(listed.segments) == [first]
