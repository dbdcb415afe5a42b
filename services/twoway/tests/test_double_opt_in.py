"""Keywords that ask before they opt in, through the front door and on a real database."""

from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from heliograph.twoway.v1 import events_pb2, keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from heliograph.twoway.v1 import opt_out_service_pb2 as consent_pb
from mesh.errors import FailedPrecondition, InvalidArgument
from mesh.store import purging
from sqlmodel import select
from twoway import housekeeping
from twoway.keywords.tables import OptInQuestionRow
from twoway.settings import Settings
from twoway.tables import ReplySetRow
from twoway_pools import FIRST, POOL, SECOND, add, create_pool, number
from twoway_room import NOON, NUMBER, SHOP, Room, announced, sms

ANN = "+12065550191"
Keyword = keyword_pb2.Keyword


async def create(room: Room, parent: str = FIRST, **settings: object) -> Keyword:
    wanted = {"keyword": "JOIN", "action": Keyword.OPT_IN, "reply_text": "Reply YES to confirm."}
    wanted |= {"double_opt_in": True} | settings
    request = pb.CreateKeywordRequest(parent=parent, keyword=Keyword(**wanted))  # type: ignore[arg-type]
    created: Keyword = await room.keywords.CreateKeyword(request)
    return created


async def changes(room: Room) -> list[tuple[str, str, str]]:
    request = consent_pb.ListConsentChangesRequest(parent=SHOP)
    listed = (await room.consent.ListConsentChanges(request)).consent_changes
    kinds = type(listed[0]).Kind if listed else None
    return [(kinds.Name(one.kind), one.requested_text, one.text) for one in listed] if kinds else []


async def promised(room: Room) -> list[str]:
    async with room.sessions() as session:
        return [row.purpose for row in (await session.exec(select(ReplySetRow))).all()]


async def questions(room: Room) -> list[OptInQuestionRow]:
    async with room.sessions() as session:
        return list((await session.exec(select(OptInQuestionRow))).all())


async def test_a_yes_days_of_batches_later_opts_in_and_is_announced(room: Room) -> None:
    await room.register()
    await create(room)
    await room.receive(sms("STOP", ANN))
    await room.receive(sms("JOIN", ANN, at_seconds=10))
    await room.receive(sms("JOIN", ANN, at_seconds=11))
    await room.receive(sms("JOIN", ANN, at_seconds=10))

    await room.receive(sms("Yes!", ANN, at_seconds=20))

    assert sorted(await changes(room)) == [("OPTED_IN", "JOIN", "Yes!"), ("OPTED_OUT", "", "STOP")]
    assert await promised(room) == ["OPT_OUT_CONFIRMATION", "OPT_IN_QUESTION", "TRANSACTIONAL"]
    (event,) = await announced(room, events_pb2.NumberOptedIn)
    assert event.changes[0].question_text == "Reply YES to confirm."
    matches = await announced(room, events_pb2.KeywordMatched)
    assert [event.matches[0].confirmation_awaited for event in matches] == [True, True, False]
    assert not await questions(room)


async def test_any_number_of_the_pool_takes_the_yes(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    await add(room, number(SECOND))
    await create(room, POOL)

    await room.receive(sms("JOIN", ANN, NUMBER))
    await room.receive(sms("YES", ANN, SECOND, at_seconds=5))

    assert [kind for kind, _, _ in await changes(room)] == ["OPTED_IN"]


async def test_a_caller_who_opts_somebody_out_ends_their_question(room: Room) -> None:
    await room.register()
    await create(room)
    await room.receive(sms("JOIN", ANN))
    put = consent_pb.PutOptedOutNumberRequest(
        parent=f"{SHOP}/optOutLists/default", phone_number=ANN
    )
    await room.consent.PutOptedOutNumber(put)

    await room.receive(sms("YES", ANN, at_seconds=5))

    assert [kind for kind, _, _ in await changes(room)] == ["OPTED_OUT"]


async def test_an_import_that_opts_somebody_out_ends_their_question(room: Room) -> None:
    await room.register()
    await create(room)
    await room.receive(sms("JOIN", ANN))
    await room.consent.ImportOptedOutNumbers(
        consent_pb.ImportOptedOutNumbersRequest(
            parent=f"{SHOP}/optOutLists/default", content=f"phone_number\n{ANN}\n".encode()
        )
    )
    await room.importer.step()

    await room.receive(sms("YES", ANN, at_seconds=5))

    assert [kind for kind, _, _ in await changes(room)] == ["OPTED_OUT"]


async def test_a_question_that_nobody_answered_is_forgotten(room: Room) -> None:
    await room.register()
    await create(room, double_opt_in_window=Duration(seconds=60))
    await room.receive(sms("JOIN", ANN))
    purges = housekeeping.purges(Settings())

    await purging.step(room.sessions, purges, NOON + timedelta(seconds=60))
    assert len(await questions(room)) == 1
    await purging.step(room.sessions, purges, NOON + timedelta(seconds=61))
    assert not await questions(room)


async def test_a_double_opt_in_is_shown_as_it_was_made(room: Room) -> None:
    await room.register()
    created = await create(
        room,
        double_opt_in_words=["OUI", "D'accord"],
        double_opt_in_window=Duration(seconds=3600),
        confirmed_reply_text="Welcome!",
        localized_confirmed_reply_texts={"fr": "Bienvenue !"},
    )

    shown = await room.keywords.GetKeyword(pb.GetKeywordRequest(name=created.name))

    assert shown == created
    assert list(shown.double_opt_in_words) == ["OUI", "D'accord"]
    assert shown.double_opt_in_window.seconds == 3600
    assert shown.localized_confirmed_reply_texts["fr"] == "Bienvenue !"


REFUSED = [
    ({"action": Keyword.AUTOMATIC_RESPONSE}, "action"),
    ({"action": Keyword.OPT_OUT, "keyword": "LEAVE"}, "action"),
    ({"reply_text": ""}, "reply_text"),
    ({"double_opt_in_words": ["YES", "stop"]}, "double_opt_in_words"),
    ({"double_opt_in_words": ["help"]}, "double_opt_in_words"),
    ({"double_opt_in_words": ["!!!"]}, "double_opt_in_words"),
    ({"double_opt_in": False, "confirmed_reply_text": "Hi"}, "double_opt_in"),
]


async def test_what_cannot_ask_is_refused(room: Room) -> None:
    await room.register()

    for settings, field in REFUSED:
        with pytest.raises(InvalidArgument) as refused:
            await create(room, **settings)

        assert refused.value.reason == "DOUBLE_OPT_IN_INVALID", settings
        assert [one.field for one in refused.value.violations] == [f"keyword.{field}"]


async def test_start_never_asks(room: Room) -> None:
    await room.register()
    start = Keyword(name=f"{FIRST}/keywords/start", double_opt_in=True)

    with pytest.raises(FailedPrecondition) as refused:
        await room.keywords.UpdateKeyword(pb.UpdateKeywordRequest(keyword=start))

    assert refused.value.reason == "DEFAULT_KEYWORD"
