"""Keywords that match for a time only."""

from datetime import datetime, timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.twoway.v1 import events_pb2, keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from mesh.errors import FailedPrecondition, InvalidArgument
from twoway.intents import Action, Keyword
from twoway.keywords import matching
from twoway_pools import FIRST, POOL, SECOND, add, create_pool, number, remove
from twoway_room import NOON, Room, announced, sms

HOUR = timedelta(hours=1)
ANN, BOB, CYD = "+12065550191", "+12065550192", "+12065550193"


@pytest.mark.parametrize(
    ("start", "end", "matches"),
    [
        (None, None, True),
        (NOON, None, True),
        (NOON + HOUR, None, False),
        (None, NOON, False),
        (None, NOON + HOUR, True),
        (NOON - HOUR, NOON + HOUR, True),
        (NOON - 2 * HOUR, NOON - HOUR, False),
    ],
)
def test_a_keyword_matches_from_its_start_until_its_end(
    start: datetime | None, end: datetime | None, matches: bool
) -> None:
    keyword = Keyword("win", ("win",), Action.AUTOMATIC_RESPONSE, start, end)

    assert matching.in_force([keyword], NOON) == ([keyword] if matches else [])


def stamp(seconds: float) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(NOON + timedelta(seconds=seconds))
    return timestamp


async def create(room: Room, parent: str = FIRST, **times: Timestamp) -> keyword_pb2.Keyword:
    wanted = keyword_pb2.Keyword(keyword="WIN", reply_text="You are in.", **times)
    request = pb.CreateKeywordRequest(parent=parent, keyword=wanted)
    created: keyword_pb2.Keyword = await room.keywords.CreateKeyword(request)
    return created


async def test_what_counts_is_when_the_text_came(room: Room) -> None:
    await room.register()
    keyword = await create(room, start_time=stamp(0), end_time=stamp(60))

    texts = [(ANN, -1.0), (BOB, 0.0), (CYD, 60.0)]
    await room.receive(*(sms("win", source, at_seconds=at) for source, at in texts))

    (event,) = await announced(room, events_pb2.KeywordMatched)
    assert [match.source_address for match in event.matches] == [BOB]
    assert keyword.end_time == stamp(60)
    explained = await room.keywords.ExplainText(pb.ExplainTextRequest(name=FIRST, text="win"))
    assert explained.keyword == ""


async def test_times_can_be_changed_and_taken_away(room: Room) -> None:
    await room.register()
    keyword = await create(room, start_time=stamp(0), end_time=stamp(60))

    keyword.ClearField("end_time")
    request = pb.UpdateKeywordRequest(keyword=keyword, update_mask=FieldMask(paths=["end_time"]))
    changed = await room.keywords.UpdateKeyword(request)

    assert changed.start_time == stamp(0)
    assert not changed.HasField("end_time")
    assert await room.keywords.GetKeyword(pb.GetKeywordRequest(name=keyword.name)) == changed


async def test_an_end_before_the_start_and_times_of_stop_are_refused(room: Room) -> None:
    await room.register()
    with pytest.raises(InvalidArgument) as refused:
        await create(room, start_time=stamp(60), end_time=stamp(60))
    assert refused.value.reason == "KEYWORD_TIMES_INVALID"
    with pytest.raises(InvalidArgument) as nonsense:
        await create(room, end_time=Timestamp(seconds=10**15))
    assert nonsense.value.reason == "TIME_INVALID"

    stop = keyword_pb2.Keyword(name=f"{FIRST}/keywords/stop", end_time=stamp(60))
    with pytest.raises(FailedPrecondition) as always:
        await room.keywords.UpdateKeyword(pb.UpdateKeywordRequest(keyword=stop))
    assert always.value.reason == "DEFAULT_KEYWORD"


async def test_a_pool_compares_the_times_and_gives_them_along(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create(room, end_time=stamp(60))
    await create_pool(room)
    await create(room, number(SECOND), end_time=stamp(61))
    with pytest.raises(FailedPrecondition) as refused:
        await add(room, number(SECOND))
    assert refused.value.reason == "KEYWORD_MISMATCH"

    wanted = keyword_pb2.Keyword(name=f"{POOL}/keywords/win", end_time=stamp(61))
    await room.keywords.UpdateKeyword(pb.UpdateKeywordRequest(keyword=wanted))
    await add(room, number(SECOND))
    await remove(room, FIRST)

    kept = await room.keywords.GetKeyword(pb.GetKeywordRequest(name=f"{FIRST}/keywords/win"))
    assert kept.end_time == stamp(61)
