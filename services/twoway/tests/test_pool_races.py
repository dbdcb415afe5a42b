"""Changes of a pool, its members and their keywords that come at once."""

import asyncio

from heliograph.twoway.v1 import keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as keywords
from heliograph.twoway.v1 import phone_number_service_pb2 as numbers
from mesh.errors import FailedPrecondition
from twoway_pools import ACME, FIRST, SECOND, add, create_pool, members, number, remove, sender_id
from twoway_room import Room


async def test_of_two_pools_that_take_a_number_at_once_one_gets_it(room: Room) -> None:
    await sender_id(room)
    await room.register(two_way_enabled=False)
    pools = [(await create_pool(room, ACME, pool_id)).name for pool_id in ("codes", "offers")]

    outcomes = await asyncio.gather(
        *(add(room, FIRST, pool) for pool in pools), return_exceptions=True
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["FailedPrecondition", "Pool"]
    assert [FIRST in await members(room, pool) for pool in pools].count(True) == 1


async def test_of_two_last_members_that_leave_at_once_one_stays(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    await add(room, number(SECOND))

    outcomes = await asyncio.gather(
        remove(room, FIRST),
        room.numbers.DeletePhoneNumber(numbers.DeletePhoneNumberRequest(name=number(SECOND))),
        return_exceptions=True,
    )

    assert [type(outcome) is FailedPrecondition for outcome in outcomes].count(True) == 1
    assert len(await members(room)) == 1


async def test_a_keyword_does_not_slip_into_a_number_that_joins(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await create_pool(room)
    wanted = keywords.CreateKeywordRequest(
        parent=number(SECOND), keyword=keyword_pb2.Keyword(keyword="HOURS")
    )

    outcomes = await asyncio.gather(
        add(room, number(SECOND)), room.keywords.CreateKeyword(wanted), return_exceptions=True
    )

    assert [type(outcome) is FailedPrecondition for outcome in outcomes].count(True) == 1
