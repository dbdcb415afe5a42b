"""Messaging is asked before a keyword is written, and nobody waits for it with a lock."""

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from mesh.errors import Aborted, InvalidArgument, NotFound
from mesh.testkit.waiting import eventually
from twoway.keywords.servicer import UPDATE_ATTEMPTS_MAX
from twoway_room import NUMBER, SHOP, Room

PARENT = f"{SHOP}/phoneNumbers/{NUMBER}"
HELLO = f"{SHOP}/templates/hello"
SIZE = "{{Text.Rest}} is kept"
Keyword = keyword_pb2.Keyword


async def create(room: Room, keyword: str, request_id: str = "", **fields: str) -> Keyword:
    wanted = Keyword(keyword=keyword, **fields)
    request = pb.CreateKeywordRequest(parent=PARENT, keyword=wanted, request_id=request_id)
    created: Keyword = await room.keywords.CreateKeyword(request)
    return created


async def update(room: Room, name: str, *paths: str, **fields: object) -> Keyword:
    wanted = Keyword(name=name, **fields)  # type: ignore[arg-type]
    mask = FieldMask(paths=paths or list(fields))
    updated: Keyword = await room.keywords.UpdateKeyword(
        pb.UpdateKeywordRequest(keyword=wanted, update_mask=mask)
    )
    return updated


async def asked(room: Room, count: int) -> None:
    await eventually(lambda: room.templates.asked == count)


async def test_a_repeated_request_is_answered_though_messaging_would_refuse_now(room: Room) -> None:
    room.templates.stored[HELLO] = "Hello"
    await room.register()
    first = await create(room, "HELLO", "r-1", template=HELLO)
    del room.templates.stored[HELLO]

    assert await create(room, "HELLO", "r-1", template=HELLO) == first
    assert room.templates.asked == 1
    with pytest.raises(InvalidArgument) as reused:
        await create(room, "HELLO", "r-1", template=HELLO, reply_text="Hi")
    assert reused.value.reason == "REQUEST_ID_REUSED"


async def test_of_two_equal_requests_at_once_one_writes(room: Room) -> None:
    await room.register()
    room.templates.answering.clear()
    both = [asyncio.create_task(create(room, "SIZE", "r-1", reply_text=SIZE)) for _ in range(2)]
    await asked(room, 2)
    room.templates.answering.set()

    one, other = await asyncio.gather(*both)

    assert one == other


async def test_nobody_waits_for_what_messaging_thinks_of_a_keyword(room: Room) -> None:
    await room.register()
    room.templates.answering.clear()
    slow = asyncio.create_task(create(room, "SIZE", reply_text=SIZE))
    await asked(room, 1)

    await create(room, "HOURS", reply_text="9 to 5")
    with pytest.raises(NotFound):
        await room.keywords.GetKeyword(pb.GetKeywordRequest(name=f"{PARENT}/keywords/size"))
    room.templates.answering.set()

    assert (await slow).reply_text == SIZE


async def test_what_others_changed_meanwhile_is_looked_at_too(room: Room) -> None:
    await room.register()
    kept = await create(room, "SIZE", reply_text="kept")
    await update(room, kept.name, default_substitutions={"Size": "M"})
    room.templates.answering.clear()
    slow = asyncio.create_task(update(room, kept.name, reply_text="{{Size}}"))
    await asked(room, 1)

    await update(room, kept.name, "default_substitutions")
    room.templates.answering.set()

    # Without its default nobody can have the variable.
    with pytest.raises(InvalidArgument) as refused:
        await slow
    assert refused.value.metadata["variable"] == "Size"
    assert room.templates.asked == 2


async def test_who_always_comes_too_late_is_told_to_try_again(room: Room) -> None:
    await room.register()
    kept = await create(room, "SIZE", reply_text="kept")
    room.templates.answering.clear()
    slow = asyncio.create_task(update(room, kept.name, reply_text=SIZE))

    for attempt in range(1, UPDATE_ATTEMPTS_MAX + 1):
        await asked(room, attempt)
        await update(room, kept.name, reply_text=f"kept {attempt}")
        room.templates.answering.set()
        room.templates.answering.clear()

    with pytest.raises(Aborted) as refused:
        await slow
    assert refused.value.reason == "KEYWORD_CHANGED"


async def test_an_etag_of_before_is_refused_though_it_was_right_when_messaging_was_asked(
    room: Room,
) -> None:
    await room.register()
    kept = await create(room, "SIZE", reply_text="kept")
    room.templates.answering.clear()
    slow = asyncio.create_task(update(room, kept.name, "reply_text", reply_text=SIZE, etag='"1"'))
    await asked(room, 1)

    await update(room, kept.name, reply_text="sold out")
    room.templates.answering.set()

    with pytest.raises(Aborted) as refused:
        await slow
    assert refused.value.reason == "ETAG_MISMATCH"
    found = await room.keywords.GetKeyword(pb.GetKeywordRequest(name=kept.name))
    assert found.reply_text == "sold out"
