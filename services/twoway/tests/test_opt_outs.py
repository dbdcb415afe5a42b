"""Opt-out lists and the question of consent, through the front door."""

import asyncio
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import events_pb2, opt_out_list_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from mesh.rpc import status
from twoway import clock, names
from twoway.consent import checking
from twoway_room import NOON, NUMBER, SHOP, Room, announced, sms

DEFAULT = f"{SHOP}/optOutLists/default"
ALERTS = f"{SHOP}/optOutLists/alerts"
ANN, BOB, CYD = "+12065550191", "+12065550192", "+12065550193"


async def put(room: Room, number: str, parent: str = DEFAULT) -> opt_out_list_pb2.OptedOutNumber:
    request = pb.PutOptedOutNumberRequest(parent=parent, phone_number=number, comment="asked")
    placed: opt_out_list_pb2.OptedOutNumber = await room.consent.PutOptedOutNumber(request)
    return placed


async def check(room: Room, *addresses: str, identity: str = "", parent: str = SHOP) -> list[str]:
    request = pb.CheckConsentRequest(
        parent=parent, origination_identity=identity, destination_addresses=addresses
    )
    return list((await room.consent.CheckConsent(request)).opted_out_addresses)


async def create_list(room: Room, list_id: str) -> None:
    await room.consent.CreateOptOutList(
        pb.CreateOptOutListRequest(parent=SHOP, opt_out_list_id=list_id)
    )


async def record(room: Room, **narrowed: str) -> list[opt_out_list_pb2.ConsentChange]:
    request = pb.ListConsentChangesRequest(parent=SHOP, **narrowed)
    return list((await room.consent.ListConsentChanges(request)).consent_changes)


async def test_the_default_list_always_exists_and_stays(room: Room) -> None:
    lists = await room.consent.ListOptOutLists(pb.ListOptOutListsRequest(parent=SHOP))

    assert [one.name for one in lists.opt_out_lists] == [DEFAULT]
    with pytest.raises(FailedPrecondition) as refused:
        await room.consent.DeleteOptOutList(pb.DeleteOptOutListRequest(name=DEFAULT))
    assert refused.value.reason == "DEFAULT_OPT_OUT_LIST"
    with pytest.raises(AlreadyExists):
        await create_list(room, "default")


async def test_a_list_can_be_made_renamed_and_deleted(room: Room) -> None:
    await create_list(room, "alerts")
    await put(room, ANN, ALERTS)

    renamed = await room.consent.UpdateOptOutList(
        pb.UpdateOptOutListRequest(
            opt_out_list=opt_out_list_pb2.OptOutList(name=ALERTS, display_name="Alerts"),
            update_mask=FieldMask(paths=["display_name"]),
        )
    )
    await room.consent.DeleteOptOutList(pb.DeleteOptOutListRequest(name=ALERTS, etag=renamed.etag))

    assert renamed.display_name == "Alerts"
    assert await check(room, ANN) == []
    with pytest.raises(NotFound):
        await room.consent.GetOptOutList(pb.GetOptOutListRequest(name=ALERTS))


async def test_a_deleted_list_is_announced(room: Room) -> None:
    await create_list(room, "alerts")
    placed = await put(room, ANN, ALERTS)
    await room.consent.DeleteOptOutList(pb.DeleteOptOutListRequest(name=ALERTS))

    (event,) = await announced(room, events_pb2.OptOutListDeleted)
    assert (event.application, event.opt_out_list) == ("shop", ALERTS)
    assert event.delete_time.ToDatetime() > placed.opt_out_time.ToDatetime()


async def test_an_opt_in_is_later_than_the_opt_out_it_ends_also_by_a_slow_clock(
    room: Room,
) -> None:
    ahead = (clock.now() - NOON).total_seconds() + 5
    await room.receive(sms("STOP", ANN, at_seconds=ahead))

    await room.consent.DeleteOptedOutNumber(
        pb.DeleteOptedOutNumberRequest(name=f"{DEFAULT}/optedOutNumbers/{ANN}")
    )

    back, out = await record(room)
    assert back.change_time.ToDatetime() > out.change_time.ToDatetime()


async def test_a_list_in_use_cannot_be_deleted(room: Room) -> None:
    await create_list(room, "alerts")
    await room.register(opt_out_list=ALERTS)

    with pytest.raises(FailedPrecondition) as refused:
        await room.consent.DeleteOptOutList(pb.DeleteOptOutListRequest(name=ALERTS))

    assert refused.value.reason == "OPT_OUT_LIST_IN_USE"


async def test_a_call_that_opts_out_is_recorded_with_who_when_and_why(room: Room) -> None:
    placed = await put(room, ANN)
    again = await put(room, ANN)

    (change,) = await record(room)
    assert again == placed
    assert not placed.end_user_opted_out
    assert (placed.caller, placed.comment) == ("tester", "asked")
    assert (change.caller, change.comment) == ("tester", "asked")
    assert change.source == opt_out_list_pb2.API
    assert change.kind == opt_out_list_pb2.ConsentChange.OPTED_OUT
    assert change.destination_address == ANN


async def test_a_number_taken_off_may_be_written_to_again(room: Room) -> None:
    placed = await put(room, ANN)

    await room.consent.DeleteOptedOutNumber(pb.DeleteOptedOutNumberRequest(name=placed.name))

    assert await check(room, ANN) == []
    kinds = [change.kind for change in await record(room, destination_address=ANN)]
    assert kinds == [
        opt_out_list_pb2.ConsentChange.OPTED_IN,
        opt_out_list_pb2.ConsentChange.OPTED_OUT,
    ]
    with pytest.raises(NotFound):
        await room.consent.DeleteOptedOutNumber(pb.DeleteOptedOutNumberRequest(name=placed.name))


async def test_a_batch_gives_a_result_for_each_number(room: Room) -> None:
    response = await room.consent.BatchPutOptedOutNumbers(
        pb.BatchPutOptedOutNumbersRequest(
            parent=DEFAULT, phone_numbers=[ANN, "nonsense", "12065550192", ANN]
        )
    )

    outcomes = [result.WhichOneof("outcome") for result in response.results]
    assert outcomes == ["opted_out_number", "error", "opted_out_number", "opted_out_number"]
    assert await check(room, ANN, BOB, CYD) == [ANN, BOB]


@pytest.mark.parametrize("number", ["nonsense", "+1206", "1" * 31])
async def test_what_is_no_number_is_refused_alike_in_a_call_and_a_batch(
    room: Room, number: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await put(room, number, DEFAULT)
    batch = pb.BatchPutOptedOutNumbersRequest(parent=DEFAULT, phone_numbers=[number])
    answer = await room.consent.BatchPutOptedOutNumbers(batch)

    item = status.to_error(answer.results[0].error)
    assert refusal.value.reason == item.reason == "PHONE_NUMBER_INVALID"


async def test_numbers_of_a_list_come_page_by_page(room: Room) -> None:
    await room.consent.BatchPutOptedOutNumbers(
        pb.BatchPutOptedOutNumbersRequest(parent=DEFAULT, phone_numbers=[CYD, ANN, BOB])
    )

    request = pb.ListOptedOutNumbersRequest(parent=DEFAULT, page_size=2)
    first = await room.consent.ListOptedOutNumbers(request)
    request.page_token = first.next_page_token
    second = await room.consent.ListOptedOutNumbers(request)

    names = [one.name for page in (first, second) for one in page.opted_out_numbers]
    assert names == [f"{DEFAULT}/optedOutNumbers/{number}" for number in (ANN, BOB, CYD)]
    assert not second.next_page_token


async def test_consent_is_that_of_the_list_of_the_identity(room: Room) -> None:
    await create_list(room, "alerts")
    await room.register(NUMBER)
    await room.register("+12065550101", opt_out_list=ALERTS)
    await put(room, ANN, DEFAULT)
    await put(room, BOB, ALERTS)

    assert await check(room, ANN, BOB, identity=NUMBER) == [ANN]
    assert await check(room, ANN, BOB, identity="12065550101") == [BOB]
    assert await check(room, BOB, ANN, identity=f"{SHOP}/phoneNumbers/+12065550101") == [BOB]


@pytest.mark.parametrize("identity", ["", "ACME", "+12065550999", f"{SHOP}/pools/main"])
async def test_an_unknown_identity_is_checked_against_every_list(room: Room, identity: str) -> None:
    await create_list(room, "alerts")
    await put(room, ANN, DEFAULT)
    await put(room, BOB, ALERTS)

    assert await check(room, CYD, BOB, ANN, identity=identity) == [BOB, ANN]


async def test_an_identity_of_another_application_is_refused(room: Room) -> None:
    with pytest.raises(InvalidArgument):
        await check(room, ANN, identity=f"applications/bank/phoneNumbers/{NUMBER}")


async def test_consent_of_one_application_says_nothing_about_another(room: Room) -> None:
    await put(room, ANN)

    assert await check(room, ANN, parent="applications/bank") == []


async def test_every_spelling_of_an_address_is_recognised(room: Room) -> None:
    await put(room, ANN)

    spellings = ["12065550191", "+1 (206) 555-0191", "0012065550191"]

    assert await check(room, *spellings, BOB) == spellings


async def test_consent_of_nobody_is_no_question(room: Room) -> None:
    assert await check(room) == []


async def test_an_opt_out_counts_as_soon_as_the_call_returns(room: Room) -> None:
    for round_number in range(20):
        number = f"+120655502{round_number:02}"
        await put(room, number)
        assert await check(room, number) == [number]


async def test_many_callers_at_once_leave_one_entry_each(room: Room) -> None:
    await asyncio.gather(*(put(room, ANN) for _ in range(8)))

    assert len(await record(room)) == 1


async def test_the_question_is_answered_from_the_index_alone(room: Room, asking: Any) -> None:
    await room.receive(*(sms("stop", f"+1206{number:07}") for number in range(1, 401)))
    await asking.execute("VACUUM ANALYZE opted_out_numbers")
    async with asking.acquire() as connection:
        await connection.execute("SET enable_seqscan = off")
        lines = await connection.fetch(
            f"EXPLAIN {checking.STATEMENTS[names.PHONE_NUMBER]}", "shop", NUMBER, ["+12060000001"]
        )
        await connection.execute("RESET enable_seqscan")

    plan = "\n".join(line[0] for line in lines)
    assert "Index Only Scan using opted_out_numbers_application_phone_number" in plan
