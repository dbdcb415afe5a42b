"""Numbers, through the front door."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import inbound_message_pb2, origination_pb2, phone_number_pb2
from heliograph.twoway.v1 import phone_number_service_pb2 as pb
from mesh.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unimplemented,
)
from twoway_room import NUMBER, SHOP, Room

PhoneNumber = phone_number_pb2.PhoneNumber
NAME = f"{SHOP}/phoneNumbers/{NUMBER}"


async def test_a_registered_number_knows_its_country_type_and_list(room: Room) -> None:
    number = await room.register()

    assert number.name == NAME
    assert (number.country_code, number.type) == ("US", PhoneNumber.LONG_CODE)
    assert number.opt_out_list == f"{SHOP}/optOutLists/default"
    assert list(number.capabilities) == [origination_pb2.SMS]
    assert await room.numbers.GetPhoneNumber(pb.GetPhoneNumberRequest(name=NAME)) == number


async def test_a_short_code_is_a_number_too(room: Room) -> None:
    number = await room.register("123456", country_code="CA")

    assert (number.type, number.country_code) == (PhoneNumber.SHORT_CODE, "CA")


@pytest.mark.parametrize("number", ["+1206", "hello", "+0123456789", "+1206555010012345", ""])
async def test_what_no_carrier_could_route_is_refused(room: Room, number: str) -> None:
    with pytest.raises(InvalidArgument):
        await room.register(number)


async def test_a_number_is_registered_once(room: Room) -> None:
    await room.register()

    with pytest.raises(AlreadyExists) as refused:
        await room.register()

    assert refused.value.reason == "PHONE_NUMBER_EXISTS"


async def test_the_same_request_id_gives_the_first_answer_again(room: Room) -> None:
    request = pb.CreatePhoneNumberRequest(
        parent=SHOP, phone_number_id=NUMBER, phone_number=PhoneNumber(), request_id="one"
    )

    first = await room.numbers.CreatePhoneNumber(request)

    assert await room.numbers.CreatePhoneNumber(request) == first


async def test_an_update_changes_what_its_mask_names(room: Room) -> None:
    number = await room.register(display_name="Alerts")
    number.display_name = "Offers"
    number.two_way_enabled = False

    updated = await room.numbers.UpdatePhoneNumber(
        pb.UpdatePhoneNumberRequest(
            phone_number=number, update_mask=FieldMask(paths=["display_name"])
        )
    )

    assert (updated.display_name, updated.two_way_enabled) == ("Offers", True)
    assert updated.etag != number.etag
    with pytest.raises(Aborted):
        await room.numbers.UpdatePhoneNumber(pb.UpdatePhoneNumberRequest(phone_number=number))


async def test_an_update_refuses_what_does_not_go_together(room: Room) -> None:
    await room.register()
    wanted = PhoneNumber(name=NAME, self_managed_opt_outs_enabled=True, two_way_enabled=False)
    mask = FieldMask(paths=["self_managed_opt_outs_enabled", "two_way_enabled"])

    with pytest.raises(InvalidArgument) as refused:
        await room.numbers.UpdatePhoneNumber(
            pb.UpdatePhoneNumberRequest(phone_number=wanted, update_mask=mask)
        )

    assert refused.value.reason == "SELF_MANAGED_NEEDS_TWO_WAY"


async def test_a_field_that_would_be_ignored_is_refused(room: Room) -> None:
    with pytest.raises(Unimplemented) as refused:
        await room.register(registration_id="C123")

    assert refused.value.metadata["field"] == "registration_id"


async def test_the_rule_set_of_a_number_says_whose_words_count(room: Room) -> None:
    number = await room.register(rule_set=origination_pb2.US)
    canadian = PhoneNumber(name=NAME, rule_set=origination_pb2.CA)

    in_the_states = await room.explain("arrêt")
    await room.numbers.UpdatePhoneNumber(pb.UpdatePhoneNumberRequest(phone_number=canadian))
    in_canada = await room.explain("arrêt")

    assert number.rule_set == origination_pb2.US
    assert (in_the_states.intent, in_the_states.flagged) == (inbound_message_pb2.AMBIGUOUS, True)
    assert (in_canada.intent, in_canada.flagged) == (inbound_message_pb2.OPT_OUT, False)
    assert in_canada.reply_text.startswith("Vous ne recevrez plus")


async def test_a_list_of_nobody_or_of_another_application_is_refused(room: Room) -> None:
    with pytest.raises(FailedPrecondition):
        await room.register(opt_out_list=f"{SHOP}/optOutLists/nowhere")
    with pytest.raises(InvalidArgument) as refused:
        await room.register(opt_out_list="applications/bank/optOutLists/default")

    assert refused.value.reason == "APPLICATION_MISMATCH"


async def test_a_protected_number_stays_until_its_protection_goes(room: Room) -> None:
    number = await room.register(deletion_protection_enabled=True)
    delete = pb.DeletePhoneNumberRequest(name=NAME)
    with pytest.raises(FailedPrecondition):
        await room.numbers.DeletePhoneNumber(delete)

    number.deletion_protection_enabled = False
    await room.numbers.UpdatePhoneNumber(
        pb.UpdatePhoneNumberRequest(
            phone_number=number, update_mask=FieldMask(paths=["deletion_protection_enabled"])
        )
    )
    await room.numbers.DeletePhoneNumber(delete)

    with pytest.raises(NotFound):
        await room.numbers.GetPhoneNumber(pb.GetPhoneNumberRequest(name=NAME))


async def test_numbers_are_listed_page_by_page(room: Room) -> None:
    registered = [f"+1206555010{digit}" for digit in range(5)]
    for number in registered:
        await room.register(number)

    listed, token = [], ""
    while True:
        request = pb.ListPhoneNumbersRequest(parent=SHOP, page_size=2, page_token=token)
        page = await room.numbers.ListPhoneNumbers(request)
        listed += [number.name.rpartition("/")[2] for number in page.phone_numbers]
        token = page.next_page_token
        if not token:
            break

    assert listed == registered
