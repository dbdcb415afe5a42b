"""Segments made of other segments: nested, pinned, deleted, and of themselves."""

from typing import Any

import pytest
from audience_room import SHOP, Room, name
from audience_segments import EVERYBODY, GOLD, audience
from heliograph.audience.v1 import segment_service_pb2 as pb
from mesh.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from mesh.testkit.tokens import MintToken

MAIL = {"channel": {"channel_types": [2]}}


def of(operator: str, *segments: str) -> dict[str, Any]:
    listed = [f"{SHOP}/segments/{segment}" for segment in segments]
    return {"source_segments": {"operator": operator, "segments": listed}}


def both(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"group": {"operator": "ALL", "filters": filters}}


async def counted(room: Room, segment: str) -> int:
    request = pb.CountSegmentRequest(name=f"{SHOP}/segments/{segment}")
    return (await room.segments.CountSegment(request)).total


async def define(room: Room, segment: str, question: dict[str, Any]) -> None:
    request = pb.UpdateSegmentRequest(
        segment={"name": f"{SHOP}/segments/{segment}", "filter": question}
    )
    await room.segments.UpdateSegment(request)


async def test_segments_are_made_of_segments_that_are_made_of_segments(room: Room) -> None:
    await audience(room)
    await room.create_segment(GOLD, "gold")
    await room.create_segment(MAIL, "mail")
    await room.create_segment(of("ANY", "gold", "mail"), "either")
    await room.create_segment(of("ALL", "gold", "mail"), "golden-mail")
    await room.create_segment(both(of("NONE", "golden-mail"), of("ALL", "either")), "one-of-them")

    preview = await room.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=f"{SHOP}/segments/one-of-them")
    )
    checked = await room.segments.CheckMembers(
        pb.CheckMembersRequest(
            name=f"{SHOP}/segments/one-of-them", endpoints=[name("e7"), name("e8"), name("e1")]
        )
    )
    inline = await room.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=SHOP, filter=of("ALL", "golden-mail"))
    )

    assert (await counted(room, "either"), await counted(room, "golden-mail")) == (7, 1)
    assert [one.name for one in preview.endpoints] == [
        name(one) for one in ("e0", "e2", "e4", "e6", "e7", "e9")
    ]
    assert list(checked.members) == [name("e7")]
    assert [one.name for one in inline.endpoints] == [name("e8")]


async def test_a_name_means_the_newest_version_and_a_version_stays(room: Room) -> None:
    await audience(room)
    await room.create_segment(GOLD, "base")
    await room.create_segment(of("ALL", "base"), "follows")
    await room.create_segment(of("ALL", "base/versions/1"), "pinned")

    await define(room, "base", EVERYBODY)

    assert (await counted(room, "follows"), await counted(room, "pinned")) == (10, 5)


async def test_a_version_may_be_made_of_the_one_before(room: Room) -> None:
    await audience(room)
    await room.create_segment(GOLD, "base")

    await define(room, "base", both(of("ALL", "base/versions/1"), MAIL))

    assert await counted(room, "base") == 1


async def test_a_segment_made_of_itself_is_refused_with_the_way_round(room: Room) -> None:
    await room.create_segment(GOLD, "a")
    await room.create_segment(of("ANY", "a"), "b")
    await room.create_segment(of("ANY", "b"), "c")

    with pytest.raises(FailedPrecondition) as refusal:
        await define(room, "a", both(GOLD, of("ANY", "c")))
    with pytest.raises(FailedPrecondition) as itself:
        await room.create_segment(of("ANY", "new"), "new")

    assert (refusal.value.reason, itself.value.reason) == ("SEGMENT_CYCLE", "SEGMENT_CYCLE")
    way = " of ".join(
        f"{SHOP}/segments/{one}" for one in ("a/versions/2", "c/versions/1", "b/versions/1")
    )
    assert f"{way} of {SHOP}/segments/a/versions/2" in str(refusal.value)
    assert refusal.value.violations[0].field == (
        "segment.filter.group.filters[1].source_segments.segments[0]"
        ".source_segments.segments[0].source_segments.segments[0]"
    )


async def test_a_source_that_does_not_exist_is_refused_when_it_is_named(room: Room) -> None:
    await room.create_segment(GOLD, "a")

    for missing in ("nobody", "a/versions/2"):
        with pytest.raises(FailedPrecondition) as refusal:
            await room.create_segment(of("ANY", "a", missing))
        assert refusal.value.reason == "SOURCE_SEGMENT_NOT_FOUND"
        assert refusal.value.metadata["segment"] == f"{SHOP}/segments/{missing}"
        assert refusal.value.violations[0].field == "segment.filter.source_segments.segments[1]"


async def test_a_source_deleted_later_is_named_by_every_question(room: Room) -> None:
    await audience(room)
    await room.create_segment(GOLD, "a")
    await room.create_segment(of("ANY", "a"), "b")
    await room.create_segment(of("NONE", "b"), "c")
    await room.segments.DeleteSegment(pb.DeleteSegmentRequest(name=f"{SHOP}/segments/a"))
    segment = f"{SHOP}/segments/c"

    with pytest.raises(FailedPrecondition) as refusal:
        await counted(room, "c")
    with pytest.raises(FailedPrecondition):
        await room.segments.PreviewSegment(pb.PreviewSegmentRequest(name=segment))
    with pytest.raises(FailedPrecondition):
        await room.segments.StreamMembers(pb.StreamMembersRequest(name=segment)).read()
    renamed = await room.segments.UpdateSegment(
        pb.UpdateSegmentRequest(
            segment={"name": segment, "display_name": "C"}, update_mask={"paths": ["display_name"]}
        )
    )

    assert refusal.value.reason == "SOURCE_SEGMENT_NOT_FOUND"
    assert f"{SHOP}/segments/b/versions/1 is made of {SHOP}/segments/a" in str(refusal.value)
    assert renamed.display_name == "C"


async def test_segments_nest_so_deep_and_no_deeper(room: Room) -> None:
    await room.create_segment(GOLD, "s0")
    for number in range(1, 10):
        await room.create_segment(of("ANY", f"s{number - 1}"), f"s{number}")

    with pytest.raises(InvalidArgument) as refusal:
        await room.create_segment(of("ANY", "s9"), "s10")
    assert refusal.value.reason == "FILTER_TOO_DEEP"


async def test_what_doubles_at_each_level_is_refused_in_time(room: Room) -> None:
    await room.create_segment(GOLD, "s0")
    for number in range(1, 4):
        await room.create_segment(of("ANY", *[f"s{number - 1}"] * 10), f"s{number}")

    with pytest.raises(InvalidArgument) as refusal:
        await room.create_segment(of("ANY", *["s3"] * 10), "s4")
    assert refusal.value.reason == "FILTER_TOO_LARGE"


async def test_sources_that_ask_too_much_by_now_are_told_of_when_asked(room: Room) -> None:
    await room.create_segment(GOLD, "base")
    asked = [{"event": {"event_type": f"type{index}"}} for index in range(12)]
    await room.create_segment({"group": {"operator": "ANY", "filters": asked}}, "twelve")
    await room.create_segment(of("ANY", "base", "twelve"), "all")
    others = [{"event": {"event_type": f"other{index}"}} for index in range(12)]
    await define(room, "base", {"group": {"operator": "ANY", "filters": others}})

    with pytest.raises(FailedPrecondition) as refusal:
        await counted(room, "all")
    assert refusal.value.reason == "FILTER_TOO_LARGE"
    assert f"{SHOP}/segments/all/versions/1" in str(refusal.value)


@pytest.mark.parametrize("segment", ["applications/other/segments/a", "campaigns/a", ""])
async def test_a_name_of_no_segment_here_is_refused(room: Room, segment: str) -> None:
    with pytest.raises(InvalidArgument):
        await room.create_segment({"source_segments": {"operator": "ANY", "segments": [segment]}})


async def test_a_segment_of_another_tenant_is_no_source(room: Room, mint_token: MintToken) -> None:
    room.use(mint_token(["shop"]))

    with pytest.raises((PermissionDenied, InvalidArgument)):
        await room.create_segment(
            {"source_segments": {"operator": "ANY", "segments": ["applications/other/segments/a"]}}
        )
