"""Sender ids, through the front door."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import opt_out_service_pb2 as opt_outs
from heliograph.twoway.v1 import origination_pb2, sender_id_pb2
from heliograph.twoway.v1 import sender_id_service_pb2 as pb
from mesh.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
)
from twoway_pools import ACME, create_list, opted_out, sender_id
from twoway_room import SHOP, Room

ANN = "+4915112345678"


async def test_a_sender_id_knows_its_name_and_country(room: Room) -> None:
    created = await sender_id(room)

    assert (created.name, created.sender_id, created.country_code) == (ACME, "ACME", "DE")
    assert list(created.message_types) == [origination_pb2.TRANSACTIONAL]
    assert created.opt_out_list == f"{SHOP}/optOutLists/default"
    assert await room.sender_ids.GetSenderId(pb.GetSenderIdRequest(name=ACME)) == created
    with pytest.raises(AlreadyExists) as refused:
        await sender_id(room)
    assert refused.value.reason == "SENDER_ID_EXISTS"


@pytest.mark.parametrize(
    ("sender_id_id", "reason"),
    [("US-ACME", "SENDER_ID_NOT_CARRIED"), ("CA-ACME", "SENDER_ID_NOT_CARRIED"),
     ("DE-12345", "SENDER_ID_INVALID"), ("XX-ACME", "SENDER_ID_INVALID"),
     ("ACME", "REQUEST_INVALID"), ("DE-ACMEACMEACME", "REQUEST_INVALID"),
     ("DE-AC ME", "REQUEST_INVALID"), ("de-ACME", "REQUEST_INVALID")],
)  # fmt: skip
async def test_what_no_carrier_would_show_is_refused(
    room: Room, sender_id_id: str, reason: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await sender_id(room, sender_id_id)

    assert refused.value.reason == reason


async def test_the_same_request_id_registers_it_once(room: Room) -> None:
    request = pb.CreateSenderIdRequest(
        parent=SHOP, sender_id_id="DE-ACME", sender_id=sender_id_pb2.SenderId(), request_id="one"
    )

    first = await room.sender_ids.CreateSenderId(request)

    assert await room.sender_ids.CreateSenderId(request) == first


async def test_an_update_changes_what_its_mask_names(room: Room) -> None:
    created = await sender_id(room)
    created.message_types[:] = [origination_pb2.PROMOTIONAL]
    created.deletion_protection_enabled = True
    request = pb.UpdateSenderIdRequest(
        sender_id=created, update_mask=FieldMask(paths=["deletion_protection_enabled"])
    )

    updated = await room.sender_ids.UpdateSenderId(request)

    assert list(updated.message_types) == [origination_pb2.TRANSACTIONAL]
    with pytest.raises(Aborted):
        await room.sender_ids.UpdateSenderId(request)
    with pytest.raises(FailedPrecondition) as refused:
        await room.sender_ids.DeleteSenderId(pb.DeleteSenderIdRequest(name=ACME))
    assert refused.value.reason == "DELETION_PROTECTED"


async def test_a_released_sender_id_is_gone(room: Room) -> None:
    created = await sender_id(room)

    await room.sender_ids.DeleteSenderId(pb.DeleteSenderIdRequest(name=ACME, etag=created.etag))

    with pytest.raises(NotFound) as refused:
        await room.sender_ids.GetSenderId(pb.GetSenderIdRequest(name=ACME))
    assert refused.value.reason == "SENDER_ID_NOT_FOUND"


async def test_sender_ids_are_listed_page_by_page(room: Room) -> None:
    for country in ("AT", "CH", "DE"):
        await sender_id(room, f"{country}-ACME")

    first = await room.sender_ids.ListSenderIds(pb.ListSenderIdsRequest(parent=SHOP, page_size=2))
    rest = await room.sender_ids.ListSenderIds(
        pb.ListSenderIdsRequest(parent=SHOP, page_size=2, page_token=first.next_page_token)
    )

    listed = [one.country_code for page in (first, rest) for one in page.sender_ids]
    assert listed == ["AT", "CH", "DE"]


async def test_its_own_list_is_asked_also_by_its_bare_name(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await sender_id(room, opt_out_list=alerts)
    for parent, number in ((alerts, ANN), (f"{SHOP}/optOutLists/default", "+4915112345679")):
        await room.consent.PutOptedOutNumber(
            opt_outs.PutOptedOutNumberRequest(parent=parent, phone_number=number)
        )

    everybody = (ANN, "+4915112345679")
    assert await opted_out(room, ACME, *everybody) == [ANN]
    assert await opted_out(room, "Acme", *everybody) == [ANN]
    assert await opted_out(room, "Other", *everybody) == list(everybody)
    # The same name in another country may have another list: then both count.
    await sender_id(room, "AT-ACME")
    assert await opted_out(room, "ACME", *everybody) == list(everybody)
    assert await opted_out(room, ACME, *everybody) == [ANN]


async def test_a_list_that_a_sender_id_uses_stays(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await sender_id(room, opt_out_list=alerts)

    with pytest.raises(FailedPrecondition) as refused:
        await room.consent.DeleteOptOutList(opt_outs.DeleteOptOutListRequest(name=alerts))

    assert refused.value.metadata["sender_id"] == "DE-ACME"
    with pytest.raises(FailedPrecondition):
        await sender_id(room, "AT-ACME", opt_out_list=f"{SHOP}/optOutLists/nowhere")
