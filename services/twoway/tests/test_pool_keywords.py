"""The keywords of a pool answer for its numbers."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import events_pb2, keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from heliograph.twoway.v1 import pool_service_pb2 as pools
from mesh.errors import FailedPrecondition, NotFound
from twoway_pools import FIRST, POOL, SECOND, add, create_pool, number, remove
from twoway_room import Room, announced, sms

Keyword = keyword_pb2.Keyword


async def create(
    room: Room, keyword: str, parent: str = POOL, reply_text: str = "ok"
) -> keyword_pb2.Keyword:
    wanted = Keyword(keyword=keyword, reply_text=reply_text)
    request = pb.CreateKeywordRequest(parent=parent, keyword=wanted)
    created: keyword_pb2.Keyword = await room.keywords.CreateKeyword(request)
    return created


async def answer(room: Room, name: str, text: str) -> str:
    explained = await room.keywords.ExplainText(pb.ExplainTextRequest(name=name, text=text))
    return str(explained.reply_text)


async def custom(room: Room, parent: str) -> list[str]:
    page = await room.keywords.ListKeywords(pb.ListKeywordsRequest(parent=parent))
    return [one.name for one in page.keywords if not one.default_keyword]


async def test_a_pool_takes_over_the_keywords_of_its_first_member(room: Room) -> None:
    await room.register()
    await create(room, "HOURS", FIRST, "9 to 5")
    await create_pool(room)

    assert await custom(room, POOL) == [f"{POOL}/keywords/hours"]
    assert await custom(room, FIRST) == [f"{FIRST}/keywords/hours"]
    assert await answer(room, FIRST, "hours?") == "9 to 5"
    found = await room.keywords.GetKeyword(pb.GetKeywordRequest(name=f"{FIRST}/keywords/hours"))
    assert found.reply_text == "9 to 5"


async def test_a_keyword_of_the_pool_answers_texts_to_its_numbers(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    await add(room, number(SECOND))
    await create(room, "HOURS", reply_text="9 to 5")

    await room.receive(sms("hours", destination=SECOND))

    (event,) = await announced(room, events_pb2.KeywordMatched)
    assert event.matches[0].keyword == f"{number(SECOND)}/keywords/hours"


async def test_the_texts_of_stop_are_those_of_the_pool(room: Room) -> None:
    await room.register()
    await create_pool(room)
    worded = Keyword(name=f"{POOL}/keywords/stop", reply_text="Bye.")
    mask = FieldMask(paths=["reply_text"])

    await room.keywords.UpdateKeyword(pb.UpdateKeywordRequest(keyword=worded, update_mask=mask))

    assert await answer(room, FIRST, "stop") == "Bye."
    assert await answer(room, POOL, "ARRET") == "Bye."


async def test_a_number_in_a_pool_has_no_keywords_of_its_own(room: Room) -> None:
    await room.register()
    await create_pool(room)
    kept = await create(room, "HOURS")
    name = f"{FIRST}/keywords/hours"
    mask = FieldMask(paths=["reply_text"])
    update = pb.UpdateKeywordRequest(keyword=Keyword(name=name, reply_text="x"), update_mask=mask)

    for attempt in (
        create(room, "JOIN", FIRST),
        room.keywords.UpdateKeyword(update),
        room.keywords.DeleteKeyword(pb.DeleteKeywordRequest(name=name)),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            await attempt
        assert refused.value.reason == "PHONE_NUMBER_ASSOCIATED_TO_POOL"
    await room.keywords.DeleteKeyword(pb.DeleteKeywordRequest(name=kept.name))
    assert await custom(room, FIRST) == []


async def test_a_number_joins_with_the_keywords_of_the_pool_only(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create(room, "HOURS", FIRST)
    await create_pool(room)
    with pytest.raises(FailedPrecondition) as refused:
        await add(room, number(SECOND))
    assert refused.value.reason == "KEYWORD_MISMATCH"

    await create(room, "Hours!", number(SECOND))

    assert (await add(room, number(SECOND))).member_count == 2


async def test_who_leaves_takes_the_keywords_along(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    await add(room, number(SECOND))
    await create(room, "HOURS", reply_text="9 to 5")

    await remove(room, FIRST)
    await room.keywords.DeleteKeyword(pb.DeleteKeywordRequest(name=f"{FIRST}/keywords/hours"))
    assert await answer(room, number(SECOND), "hours") == "9 to 5"
    await room.pools.DeletePool(pools.DeletePoolRequest(name=POOL))

    assert await custom(room, FIRST) == []
    assert await custom(room, number(SECOND)) == [f"{number(SECOND)}/keywords/hours"]
    with pytest.raises(NotFound) as refused:
        await custom(room, POOL)
    assert refused.value.reason == "POOL_NOT_FOUND"
