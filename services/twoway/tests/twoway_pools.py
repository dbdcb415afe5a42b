"""Pools and sender ids as tests make them."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import (
    opt_out_service_pb2,
    phone_number_pb2,
    phone_number_service_pb2,
    pool_pb2,
    pool_service_pb2,
    sender_id_pb2,
    sender_id_service_pb2,
)
from twoway_room import NUMBER, SHOP, Room

SECOND = "+12065550101"
POOL = f"{SHOP}/pools/offers"
ACME = f"{SHOP}/senderIds/DE-ACME"


def number(digits: str) -> str:
    """Name of a number."""
    return f"{SHOP}/phoneNumbers/{digits}"


FIRST = number(NUMBER)


async def create_pool(
    room: Room, member: str = FIRST, pool_id: str = "offers", request_id: str = "", **settings: Any
) -> pool_pb2.Pool:
    """A pool of one member."""
    request = pool_service_pb2.CreatePoolRequest(
        parent=SHOP,
        pool_id=pool_id,
        pool=pool_pb2.Pool(**settings),
        origination_identity=member,
        request_id=request_id,
    )
    created: pool_pb2.Pool = await room.pools.CreatePool(request)
    return created


async def add(room: Room, member: str, pool: str = POOL) -> pool_pb2.Pool:
    """One more member."""
    request = pool_service_pb2.AddPoolMemberRequest(name=pool, origination_identity=member)
    added: pool_pb2.Pool = await room.pools.AddPoolMember(request)
    return added


async def remove(room: Room, member: str, pool: str = POOL) -> pool_pb2.Pool:
    """One member less."""
    request = pool_service_pb2.RemovePoolMemberRequest(name=pool, origination_identity=member)
    removed: pool_pb2.Pool = await room.pools.RemovePoolMember(request)
    return removed


async def update(room: Room, **settings: Any) -> pool_pb2.Pool:
    """The pool with other settings."""
    request = pool_service_pb2.UpdatePoolRequest(
        pool=pool_pb2.Pool(name=POOL, **settings), update_mask=FieldMask(paths=list(settings))
    )
    updated: pool_pb2.Pool = await room.pools.UpdatePool(request)
    return updated


async def members(room: Room, pool: str = POOL) -> list[str]:
    """All members in their order."""
    request = pool_service_pb2.ListPoolMembersRequest(name=pool)
    return list((await room.pools.ListPoolMembers(request)).origination_identities)


async def registered(room: Room, name: str = FIRST) -> phone_number_pb2.PhoneNumber:
    """A number as it is now."""
    found: phone_number_pb2.PhoneNumber = await room.numbers.GetPhoneNumber(
        phone_number_service_pb2.GetPhoneNumberRequest(name=name)
    )
    return found


async def sender_id(
    room: Room, sender_id_id: str = "DE-ACME", **settings: Any
) -> sender_id_pb2.SenderId:
    """A registered sender id."""
    request = sender_id_service_pb2.CreateSenderIdRequest(
        parent=SHOP, sender_id_id=sender_id_id, sender_id=sender_id_pb2.SenderId(**settings)
    )
    created: sender_id_pb2.SenderId = await room.sender_ids.CreateSenderId(request)
    return created


async def create_list(room: Room, list_id: str) -> str:
    """An opt-out list; its name."""
    await room.consent.CreateOptOutList(
        opt_out_service_pb2.CreateOptOutListRequest(parent=SHOP, opt_out_list_id=list_id)
    )
    return f"{SHOP}/optOutLists/{list_id}"


async def opted_out(room: Room, identity: str, *addresses: str) -> list[str]:
    """Those of the addresses that may not be written to from an identity."""
    request = opt_out_service_pb2.CheckConsentRequest(
        parent=SHOP, origination_identity=identity, destination_addresses=addresses
    )
    return list((await room.consent.CheckConsent(request)).opted_out_addresses)
