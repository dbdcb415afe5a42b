"""SelectOriginationIdentity, through the front door."""

from typing import Any

import pytest
from heliograph.twoway.v1 import origination_pb2, phone_number_pb2
from heliograph.twoway.v1 import pool_service_pb2 as pb
from mesh.errors import FailedPrecondition, InvalidArgument, NotFound
from twoway_pools import ACME, FIRST, POOL, SECOND, create_pool, number, sender_id
from twoway_room import SHOP, Room

ANN, DORA = "+12065550191", "+4915112345678"


async def select(room: Room, destination: str = ANN, **wanted: Any) -> str:
    request = pb.SelectOriginationIdentityRequest(
        parent=SHOP, destination_address=destination, **wanted
    )
    chosen = await room.pools.SelectOriginationIdentity(request)
    assert chosen.explanation
    return str(chosen.origination_identity)


async def test_the_number_or_name_of_the_country_is_chosen(room: Room) -> None:
    await room.register()
    await sender_id(room)

    assert await select(room) == FIRST
    assert await select(room, "+1 (206) 555-0191") == FIRST
    assert await select(room, DORA) == ACME
    # Nobody can write to a name.
    assert await select(room, DORA, two_way=True) == FIRST


async def test_what_was_registered_is_obeyed(room: Room) -> None:
    await room.register(type=phone_number_pb2.PhoneNumber.TEN_DLC)
    await room.register(
        SECOND,
        capabilities=[origination_pb2.SMS, origination_pb2.MMS],
        message_type=origination_pb2.PROMOTIONAL,
    )

    assert await select(room) == FIRST
    assert await select(room, message_type=origination_pb2.PROMOTIONAL) == number(SECOND)
    assert await select(room, capability=origination_pb2.MMS) == number(SECOND)


async def test_only_members_of_the_pool_are_chosen_when_one_is_given(room: Room) -> None:
    await room.register()
    await room.register(SECOND, type=phone_number_pb2.PhoneNumber.TEN_DLC)
    await sender_id(room)
    await create_pool(room)
    await create_pool(room, ACME, "names")

    assert await select(room) == number(SECOND)
    assert await select(room, pool=POOL) == FIRST
    assert await select(room, DORA, pool=f"{SHOP}/pools/names") == ACME
    with pytest.raises(FailedPrecondition) as refused:
        await select(room, pool=f"{SHOP}/pools/names")
    assert refused.value.reason == "NO_ORIGINATION_IDENTITY"
    assert refused.value.metadata["destination_address"] == ANN
    with pytest.raises(NotFound):
        await select(room, pool=f"{SHOP}/pools/unknown")


@pytest.mark.parametrize("destination", ["hello", "12345", "+1206"])
async def test_a_destination_of_no_country_is_refused(room: Room, destination: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await select(room, destination)

    assert refused.value.reason == "PHONE_NUMBER_INVALID"
    with pytest.raises(InvalidArgument):
        await select(room, pool="applications/bank/pools/offers")


async def test_many_are_chosen_as_each_would_be(room: Room) -> None:
    await room.register()
    await room.register(SECOND)
    await sender_id(room)
    persons = [f"+1206555{serial:04}" for serial in range(40)]
    request = pb.BatchSelectOriginationIdentitiesRequest(
        parent=SHOP, destination_addresses=[*persons, DORA, "hello"]
    )

    *chosen, dora, nobody = (await room.pools.BatchSelectOriginationIdentities(request)).selections

    for person, one in zip(persons, chosen, strict=True):
        assert one.origination_identity == await select(room, person)
    assert {one.origination_identity for one in chosen} == {FIRST, number(SECOND)}
    assert dora.origination_identity == ACME
    assert nobody.origination_identity == ""
    assert "not an E.164 number" in nobody.explanation
    request.pool = f"{SHOP}/pools/unknown"
    with pytest.raises(NotFound):
        await room.pools.BatchSelectOriginationIdentities(request)
