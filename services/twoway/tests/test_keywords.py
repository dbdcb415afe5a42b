"""Keywords, through the front door."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import inbound_message_pb2, keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from mesh.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from mesh.sms.segments import Encoding, segment
from twoway.keywords.defaults import DEFAULTS
from twoway_room import NUMBER, SHOP, Room

Keyword = keyword_pb2.Keyword
PARENT = f"{SHOP}/phoneNumbers/{NUMBER}"


async def create(room: Room, keyword: str, **settings: object) -> keyword_pb2.Keyword:
    request = pb.CreateKeywordRequest(
        parent=PARENT,
        keyword=Keyword(keyword=keyword, **settings),  # type: ignore[arg-type]
    )
    created: keyword_pb2.Keyword = await room.keywords.CreateKeyword(request)
    return created


async def explain(room: Room, text: str) -> pb.ExplainTextResponse:
    explained: pb.ExplainTextResponse = await room.keywords.ExplainText(
        pb.ExplainTextRequest(name=PARENT, text=text)
    )
    return explained


@pytest.mark.parametrize(
    "text",
    [
        text
        for default in DEFAULTS.values()
        for text in (default.reply_text, *default.localized_reply_texts.values())
    ],
)
def test_a_default_text_is_one_short_message(text: str) -> None:
    cut = segment(text)

    assert (cut.encoding, len(cut.parts)) == (Encoding.GSM7, 1)


async def test_every_number_has_stop_help_and_start(room: Room) -> None:
    await room.register()

    page = await room.keywords.ListKeywords(pb.ListKeywordsRequest(parent=PARENT))

    assert [keyword.keyword for keyword in page.keywords] == ["HELP", "START", "STOP"]
    assert all(keyword.default_keyword and keyword.reply_text for keyword in page.keywords)


async def test_the_text_of_stop_can_be_changed_but_not_what_it_does(room: Room) -> None:
    await room.register()
    stop = await room.keywords.GetKeyword(pb.GetKeywordRequest(name=f"{PARENT}/keywords/stop"))
    stop.reply_text = "Bye."

    updated = await room.keywords.UpdateKeyword(
        pb.UpdateKeywordRequest(keyword=stop, update_mask=FieldMask(paths=["reply_text"]))
    )

    assert (await explain(room, "stop!")).reply_text == "Bye."
    updated.action = Keyword.AUTOMATIC_RESPONSE
    with pytest.raises(FailedPrecondition) as refused:
        await room.keywords.UpdateKeyword(
            pb.UpdateKeywordRequest(keyword=updated, update_mask=FieldMask(paths=["action"]))
        )
    assert refused.value.reason == "DEFAULT_KEYWORD"
    with pytest.raises(FailedPrecondition):
        await room.keywords.DeleteKeyword(pb.DeleteKeywordRequest(name=stop.name))


async def test_our_translations_go_when_the_owner_words_the_text(room: Room) -> None:
    await room.register()
    stop = await room.keywords.GetKeyword(pb.GetKeywordRequest(name=f"{PARENT}/keywords/stop"))
    assert (await explain(room, "ARRET")).reply_text == stop.localized_reply_texts["fr"]

    worded = Keyword(name=stop.name, reply_text="Bye from the shop.")
    mask = FieldMask(paths=["reply_text"])
    await room.keywords.UpdateKeyword(pb.UpdateKeywordRequest(keyword=worded, update_mask=mask))
    assert (await explain(room, "ARRET")).reply_text == "Bye from the shop."

    worded.localized_reply_texts["fr"] = "Au revoir."
    mask = FieldMask(paths=["localized_reply_texts"])
    await room.keywords.UpdateKeyword(pb.UpdateKeywordRequest(keyword=worded, update_mask=mask))
    assert (await explain(room, "ARRET")).reply_text == "Au revoir."
    assert (await explain(room, "STOP")).reply_text == "Bye from the shop."


async def test_a_custom_keyword_answers_and_can_be_deleted(room: Room) -> None:
    await room.register()
    keyword = await create(room, "Opening hours", reply_text="9 to 5")

    explained = await explain(room, "opening HOURS please")

    assert explained.intent == inbound_message_pb2.KEYWORD_MATCH
    assert (explained.keyword, explained.reply_text) == (keyword.name, "9 to 5")
    assert keyword.name == f"{PARENT}/keywords/opening-hours"
    await room.keywords.DeleteKeyword(pb.DeleteKeywordRequest(name=keyword.name))
    with pytest.raises(NotFound):
        await room.keywords.GetKeyword(pb.GetKeywordRequest(name=keyword.name))


async def test_two_keywords_that_read_the_same_are_one(room: Room) -> None:
    await room.register()
    await create(room, "JOIN", action=Keyword.OPT_IN)

    with pytest.raises(AlreadyExists) as refused:
        await create(room, "Join!")

    assert refused.value.reason == "KEYWORD_EXISTS"


@pytest.mark.parametrize(
    ("keyword", "reason"),
    [("QUIT", "KEYWORD_RESERVED"), ("stop texting me", "KEYWORD_RESERVED"), ("!!", "KEYWORD_EMPTY"),
     ("HELP", "KEYWORD_RESERVED"), ("start", "KEYWORD_RESERVED"), (" x", "REQUEST_INVALID"),
     ("x" * 31, "REQUEST_INVALID")],
)  # fmt: skip
async def test_a_keyword_may_not_take_the_place_of_stop(
    room: Room, keyword: str, reason: str
) -> None:
    await room.register()

    with pytest.raises(InvalidArgument) as refused:
        await create(room, keyword, reply_text="no")

    assert refused.value.reason == reason


async def test_a_number_has_thirty_keywords_at_most(room: Room) -> None:
    await room.register()
    for number in range(30):
        await create(room, f"word{number}")

    with pytest.raises(ResourceExhausted):
        await create(room, "one more")


async def test_keywords_of_a_number_that_is_not_there_are_not_found(room: Room) -> None:
    with pytest.raises(NotFound) as refused:
        await room.keywords.ListKeywords(pb.ListKeywordsRequest(parent=PARENT))

    assert refused.value.reason == "PHONE_NUMBER_NOT_FOUND"
