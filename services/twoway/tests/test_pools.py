"""Pools, through the front door."""

import pytest
from heliograph.twoway.v1 import opt_out_service_pb2 as opt_outs
from heliograph.twoway.v1 import origination_pb2, pool_pb2
from heliograph.twoway.v1 import phone_number_service_pb2 as numbers
from heliograph.twoway.v1 import pool_service_pb2 as pb
from mesh.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unimplemented,
)
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
    opted_out,
    registered,
    sender_id,
    update,
)
from twoway_room import SHOP, Room, sms

ANN = "+12065550191"


async def test_a_pool_takes_over_the_settings_of_its_first_member(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await room.register(
        opt_out_list=alerts,
        message_type=origination_pb2.PROMOTIONAL,
        capabilities=[origination_pb2.SMS, origination_pb2.MMS],
        rule_set=origination_pb2.CA,
    )

    pool = await create_pool(room, display_name="Offers")

    assert (pool.name, pool.display_name, pool.state) == (POOL, "Offers", pool_pb2.Pool.ACTIVE)
    assert (pool.opt_out_list, pool.message_type) == (alerts, origination_pb2.PROMOTIONAL)
    assert (pool.two_way_enabled, pool.rule_set) == (True, origination_pb2.CA)
    assert list(pool.capabilities) == [origination_pb2.SMS, origination_pb2.MMS]
    assert (pool.member_count, await members(room)) == (1, [FIRST])
    assert (await registered(room)).pool == POOL
    assert await room.pools.GetPool(pb.GetPoolRequest(name=POOL)) == pool


async def test_what_the_request_says_goes_before_the_first_member(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await room.register(two_way_enabled=False)

    pool = await create_pool(room, opt_out_list=alerts, two_way_enabled=True)

    member = await registered(room)
    assert (pool.opt_out_list, pool.two_way_enabled) == (alerts, True)
    assert (member.opt_out_list, member.two_way_enabled) == (alerts, True)


async def test_a_pool_is_made_once(room: Room) -> None:
    await room.register()
    await room.register(SECOND)

    pool = await create_pool(room, request_id="one")

    assert await create_pool(room, request_id="one") == pool
    with pytest.raises(AlreadyExists) as refused:
        await create_pool(room, number(SECOND))
    assert refused.value.reason == "POOL_EXISTS"
    assert (await registered(room, number(SECOND))).pool == ""


async def test_what_is_not_there_or_belongs_to_others_makes_no_pool(room: Room) -> None:
    await room.register()
    with pytest.raises(NotFound):
        await create_pool(room, number(SECOND))
    with pytest.raises(InvalidArgument) as refused:
        await create_pool(room, f"applications/bank/phoneNumbers/{SECOND}")
    assert refused.value.reason == "APPLICATION_MISMATCH"
    with pytest.raises(FailedPrecondition):
        await create_pool(room, opt_out_list=f"{SHOP}/optOutLists/nowhere")
    with pytest.raises(Unimplemented):
        await create_pool(room, shared_routes_enabled=True)
    with pytest.raises(NotFound) as missing:
        await room.pools.GetPool(pb.GetPoolRequest(name=POOL))
    assert missing.value.reason == "POOL_NOT_FOUND"


async def test_a_change_of_the_pool_changes_its_members(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    before = await room.register()
    await room.register(SECOND)
    pool = await create_pool(room)
    await add(room, number(SECOND))

    updated = await update(
        room, opt_out_list=alerts, self_managed_opt_outs_enabled=True, rule_set=origination_pb2.US
    )

    for name in (FIRST, number(SECOND)):
        member = await registered(room, name)
        assert (member.opt_out_list, member.self_managed_opt_outs_enabled) == (alerts, True)
        assert member.rule_set == origination_pb2.US
        assert member.etag != before.etag
    with pytest.raises(Aborted):
        await update(room, etag=pool.etag, display_name="Late")
    with pytest.raises(InvalidArgument) as refused:
        await update(room, two_way_enabled=False)
    assert refused.value.reason == "SELF_MANAGED_NEEDS_TWO_WAY"
    assert await room.pools.GetPool(pb.GetPoolRequest(name=POOL)) == updated


async def test_a_stop_to_one_member_is_a_stop_to_the_pool(room: Room) -> None:
    alerts = await create_list(room, "alerts")
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    await add(room, number(SECOND))
    await update(room, opt_out_list=alerts)

    await room.receive(sms("STOP", ANN, SECOND))

    assert await opted_out(room, POOL, ANN) == [ANN]
    assert await opted_out(room, FIRST, ANN) == [ANN]
    await room.register("+12065550102")
    assert await opted_out(room, number("+12065550102"), ANN) == []
    assert await opted_out(room, f"{SHOP}/pools/unknown", ANN) == [ANN]
    with pytest.raises(FailedPrecondition) as refused:
        await room.consent.DeleteOptOutList(opt_outs.DeleteOptOutListRequest(name=alerts))
    assert refused.value.reason == "OPT_OUT_LIST_IN_USE"


async def test_a_deleted_pool_leaves_its_members_as_they_were(room: Room) -> None:
    await room.register()
    await sender_id(room)
    await create_pool(room, deletion_protection_enabled=True)
    await add(room, ACME)
    with pytest.raises(FailedPrecondition) as refused:
        await room.pools.DeletePool(pb.DeletePoolRequest(name=POOL))
    assert refused.value.reason == "DELETION_PROTECTED"

    await update(room, deletion_protection_enabled=False, two_way_enabled=False)
    await room.pools.DeletePool(pb.DeletePoolRequest(name=POOL))

    member = await registered(room)
    assert (member.pool, member.two_way_enabled) == ("", False)
    with pytest.raises(NotFound):
        await room.pools.ListPoolMembers(pb.ListPoolMembersRequest(name=POOL))
    assert (await create_pool(room, ACME)).member_count == 1


async def test_pools_are_listed_page_by_page(room: Room) -> None:
    await sender_id(room)
    for pool_id in ("alerts", "codes", "offers"):
        await create_pool(room, ACME, pool_id)
    await room.register(two_way_enabled=False)
    await add(room, FIRST)

    first = await room.pools.ListPools(pb.ListPoolsRequest(parent=SHOP, page_size=2))
    rest = await room.pools.ListPools(
        pb.ListPoolsRequest(parent=SHOP, page_size=2, page_token=first.next_page_token)
    )

    listed = [
        (one.name.rpartition("/")[2], one.member_count) for one in (*first.pools, *rest.pools)
    ]
    assert listed == [("alerts", 1), ("codes", 1), ("offers", 2)]
    page = pb.ListPoolMembersRequest(name=POOL, page_size=1)
    found = await room.pools.ListPoolMembers(page)
    page.page_token = found.next_page_token
    after = await room.pools.ListPoolMembers(page)
    assert [*found.origination_identities, *after.origination_identities] == [FIRST, ACME]
    assert not after.next_page_token


async def test_numbers_can_be_listed_by_pool(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room, number(SECOND))

    request = numbers.ListPhoneNumbersRequest(parent=SHOP, pool=POOL)
    listed = (await room.numbers.ListPhoneNumbers(request)).phone_numbers

    assert [one.name for one in listed] == [number(SECOND)]
