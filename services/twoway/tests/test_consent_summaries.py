"""The record of consent, counted."""

from datetime import timedelta

import pytest
from heliograph.messaging.v1.message_service_pb2 import FindAnsweredMessagesResponse
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import InvalidArgument
from twoway import clock
from twoway_room import NOON, NUMBER, SHOP, Room, sms

AnsweredMessage = FindAnsweredMessagesResponse.AnsweredMessage
Request = pb.SummarizeConsentChangesRequest
ALERTS = f"{SHOP}/optOutLists/alerts"
ANN, BOB, CYD, DAN = (f"+1206555019{digit}" for digit in range(4))
OTHER = "+12065550101"
DAY_SECONDS = 86_400


async def happened(room: Room) -> None:
    """Three say STOP at noon and one the day before, one comes back, and one is called in."""
    create = pb.CreateOptOutListRequest(parent=SHOP, opt_out_list_id="alerts")
    await room.consent.CreateOptOutList(create)
    await room.register(NUMBER)
    await room.register(OTHER, opt_out_list=ALERTS)
    await room.receive(
        *(sms("STOP", person) for person in (ANN, BOB, CYD)),
        sms("stop", DAN, OTHER, at_seconds=-DAY_SECONDS),
        sms("START", ANN, at_seconds=60),
    )
    put = pb.PutOptedOutNumberRequest(parent=ALERTS, phone_number=ANN)
    await room.consent.PutOptedOutNumber(put)


async def counted(room: Room, **asked: object) -> dict[str, tuple[int, int]]:
    response = await room.consent.SummarizeConsentChanges(Request(parent=SHOP, **asked))  # type: ignore[arg-type]
    return {row.group: (row.opted_out_count, row.opted_in_count) for row in response.rows}


async def test_changes_are_counted_by_what_is_asked(room: Room) -> None:
    before = f"{clock.now():%Y-%m-%d}"
    await happened(room)
    today = f"{clock.now():%Y-%m-%d}"
    assert await counted(room) == {"": (5, 1)}
    by_list = await counted(room, group_by=Request.OPT_OUT_LIST)
    assert list(by_list.items()) == [(f"{SHOP}/optOutLists/default", (3, 1)), (ALERTS, (2, 0))]
    by_number = await counted(room, group_by=Request.ORIGINATION_IDENTITY)
    assert by_number == {NUMBER: (3, 1), OTHER: (1, 0), "": (1, 0)}
    by_keyword = await counted(room, group_by=Request.KEYWORD_TEXT)
    assert by_keyword == {"stop": (4, 0), "start": (0, 1), "": (1, 0)}
    by_day = await counted(room, group_by=Request.DAY)
    assert (by_day["2026-11-20"], by_day["2026-11-21"]) == ((1, 0), (3, 1))
    assert sum(opted_out for opted_out, _ in by_day.values()) == 5
    assert {before, today} & by_day.keys()


async def test_changes_are_counted_by_the_campaign_that_was_answered(room: Room) -> None:
    spring = f"{SHOP}/campaigns/spring"
    for person, campaign in ((ANN, spring), (BOB, spring), (CYD, f"{SHOP}/campaigns/sale")):
        room.messaging.answered[person] = AnsweredMessage(
            message=f"{SHOP}/messages/m", run=f"{campaign}/runs/r1"
        )
    room.messaging.answered[DAN] = AnsweredMessage(message=f"{SHOP}/messages/direct")
    await happened(room)

    by_campaign = await counted(room, group_by=Request.CAMPAIGN)

    assert by_campaign == {spring: (2, 1), f"{SHOP}/campaigns/sale": (1, 0), "": (2, 0)}


async def test_only_what_lies_between_the_times_counts(room: Room) -> None:
    await happened(room)
    later = NOON + timedelta(seconds=30)

    until = await counted(room, end_time=clock.stamp(later), start_time=clock.stamp(NOON))
    since = await counted(room, start_time=clock.stamp(later), end_time=clock.stamp(NOON))

    assert until == {"": (3, 0)}
    assert since == {}


async def test_what_cannot_be_counted_is_refused(room: Room) -> None:
    with pytest.raises(InvalidArgument):
        await counted(room, start_time={"seconds": 10**15})
