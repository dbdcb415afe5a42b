"""Who may join a pool, who may leave it, and what members may still change themselves."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import origination_pb2, phone_number_pb2, sender_id_pb2
from heliograph.twoway.v1 import phone_number_service_pb2 as numbers
from heliograph.twoway.v1 import sender_id_service_pb2 as sender_ids
from mesh.errors import FailedPrecondition, NotFound, ResourceExhausted
from twoway.pools import consistency
from twoway.tables import PoolRow, SenderIdRow
from twoway_pools import (
    ACME,
    FIRST,
    POOL,
    SECOND,
    add,
    create_list,
    create_pool,
    members,
    number,
    registered,
    remove,
    sender_id,
    update,
)
from twoway_room import SHOP, Room

SMS, MMS = origination_pb2.SMS, origination_pb2.MMS


async def change(room: Room, **settings: Any) -> phone_number_pb2.PhoneNumber:
    wanted = phone_number_pb2.PhoneNumber(name=FIRST, **settings)
    mask = FieldMask(paths=list(settings))
    request = numbers.UpdatePhoneNumberRequest(phone_number=wanted, update_mask=mask)
    changed: phone_number_pb2.PhoneNumber = await room.numbers.UpdatePhoneNumber(request)
    return changed


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"message_type": origination_pb2.PROMOTIONAL}, "MESSAGE_TYPE_MISMATCH"),
        ({"two_way_enabled": False}, "TWO_WAY_CONFIG_MISMATCH"),
        ({"rule_set": origination_pb2.US}, "TWO_WAY_CONFIG_MISMATCH"),
        ({"self_managed_opt_outs_enabled": True}, "SELF_MANAGED_OPT_OUTS_MISMATCH"),
        ({"opt_out_list": f"{SHOP}/optOutLists/alerts"}, "OPT_OUT_LIST_MISMATCH"),
        ({"capabilities": [SMS]}, "NUMBER_CAPABILITIES_MISMATCH"),
    ],
)
async def test_a_number_that_is_not_as_the_pool_is_stays_out(
    room: Room, settings: dict[str, Any], reason: str
) -> None:
    await create_list(room, "alerts")
    await room.register(capabilities=[SMS, MMS])
    await room.register(SECOND, **({"capabilities": [SMS, MMS]} | settings))
    await create_pool(room)

    with pytest.raises(FailedPrecondition) as refused:
        await add(room, number(SECOND))

    assert refused.value.reason == reason
    assert refused.value.metadata["pool"] == POOL
    assert await members(room) == [FIRST]


async def test_a_number_that_can_do_more_may_join(room: Room) -> None:
    await room.register()
    await room.register(SECOND, capabilities=[SMS, MMS])
    pool = await create_pool(room)

    joined = await add(room, number(SECOND))

    assert (joined.member_count, await members(room)) == (2, [FIRST, number(SECOND)])
    assert joined.etag != pool.etag
    assert await add(room, number(SECOND)) == joined


async def test_a_number_belongs_to_one_pool(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    await create_pool(room, number(SECOND), "codes")

    with pytest.raises(FailedPrecondition) as refused:
        await add(room, number(SECOND))
    assert refused.value.reason == "PHONE_NUMBER_ASSOCIATED_TO_POOL"
    assert refused.value.metadata["pool"] == f"{SHOP}/pools/codes"
    with pytest.raises(FailedPrecondition):
        await create_pool(room, number(SECOND), "third")


async def test_a_number_in_a_pool_is_changed_through_the_pool(room: Room) -> None:
    await room.register(capabilities=[SMS])
    await create_pool(room)

    assert (await change(room, display_name="Till 1")).display_name == "Till 1"
    assert len((await change(room, capabilities=[SMS, MMS])).capabilities) == 2
    for settings, reason in (
        ({"two_way_enabled": False}, "PHONE_NUMBER_ASSOCIATED_TO_POOL"),
        ({"rule_set": origination_pb2.US}, "PHONE_NUMBER_ASSOCIATED_TO_POOL"),
        ({"capabilities": [MMS]}, "NUMBER_CAPABILITIES_MISMATCH"),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            await change(room, **settings)
        assert refused.value.reason == reason


async def test_the_last_member_can_neither_leave_nor_be_released(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    release = numbers.DeletePhoneNumberRequest(name=FIRST)
    for attempt in (remove(room, FIRST), room.numbers.DeletePhoneNumber(release)):
        with pytest.raises(FailedPrecondition) as refused:
            await attempt
        assert refused.value.reason == "LAST_PHONE_NUMBER"

    await add(room, number(SECOND))
    await room.numbers.DeletePhoneNumber(release)

    assert await members(room) == [number(SECOND)]


async def test_a_number_that_leaves_keeps_the_settings_of_the_pool(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    await add(room, number(SECOND))
    await update(room, opt_out_list=alerts)

    left = await remove(room, FIRST)

    member = await registered(room)
    assert (left.member_count, member.pool, member.opt_out_list) == (1, "", alerts)
    with pytest.raises(NotFound) as refused:
        await remove(room, FIRST)
    assert refused.value.reason == "POOL_MEMBER_NOT_FOUND"


async def test_a_sender_id_may_belong_to_several_pools_of_one_list(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await room.register()
    both = [origination_pb2.PROMOTIONAL, origination_pb2.TRANSACTIONAL]
    await sender_id(room, message_types=both)
    first = await create_pool(room)
    await add(room, ACME)
    codes = await create_pool(room, ACME, "codes")

    assert (first.message_type, codes.message_type) == tuple(reversed(both))
    found = await room.sender_ids.GetSenderId(sender_ids.GetSenderIdRequest(name=ACME))
    assert list(found.pools) == [codes.name, first.name]
    with pytest.raises(FailedPrecondition) as refused:
        await update(room, opt_out_list=alerts)
    assert refused.value.reason == "OPT_OUT_LIST_MISMATCH"
    with pytest.raises(FailedPrecondition) as last:
        await room.sender_ids.DeleteSenderId(sender_ids.DeleteSenderIdRequest(name=ACME))
    assert last.value.metadata["pool"] == codes.name


async def test_a_sender_id_in_a_pool_stays_as_the_pool_is(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await sender_id(room)
    await sender_id(room, "AT-ACME")
    await create_pool(room, ACME)
    await add(room, f"{SHOP}/senderIds/AT-ACME")
    for settings, reason in (
        ({"opt_out_list": alerts}, "OPT_OUT_LIST_MISMATCH"),
        ({"message_types": [origination_pb2.PROMOTIONAL]}, "MESSAGE_TYPE_MISMATCH"),
    ):
        wanted = sender_id_pb2.SenderId(name=ACME, **settings)  # type: ignore[arg-type]
        mask = FieldMask(paths=list(settings))
        with pytest.raises(FailedPrecondition) as refused:
            await room.sender_ids.UpdateSenderId(
                sender_ids.UpdateSenderIdRequest(sender_id=wanted, update_mask=mask)
            )
        assert refused.value.reason == reason

    assert (await update(room, opt_out_list=alerts)).opt_out_list == alerts
    found = await room.sender_ids.GetSenderId(sender_ids.GetSenderIdRequest(name=ACME))
    assert found.opt_out_list == alerts
    await room.sender_ids.DeleteSenderId(sender_ids.DeleteSenderIdRequest(name=ACME))
    assert await members(room) == [f"{SHOP}/senderIds/AT-ACME"]


def test_a_sender_id_carries_no_pictures() -> None:
    pool = PoolRow(application="shop", pool="offers", capabilities=["SMS", "MMS"])
    acme = SenderIdRow(application="shop", sender_id="DE-ACME", message_types=["TRANSACTIONAL"])

    with pytest.raises(FailedPrecondition) as refused:
        consistency.check_sender_id(pool, acme)

    assert refused.value.reason == "NUMBER_CAPABILITIES_MISMATCH"


def test_a_pool_has_a_hundred_members_at_most() -> None:
    pool = PoolRow(application="shop", pool="offers")
    consistency.check_room(pool, 99)

    with pytest.raises(ResourceExhausted):
        consistency.check_room(pool, 100)
