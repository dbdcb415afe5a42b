"""Opt-outs that are older than what the bus keeps are read from the lists themselves."""

from datetime import timedelta
from typing import Any

import pytest
from audience.consent.catching_up import CatchingUp
from audience.consent.hearing import Hearing
from audience_consent import NOON, back, delivery
from audience_neighbours import Town
from audience_room import SHOP, Room
from heliograph.audience.v1 import segment_service_pb2 as pb
from heliograph.twoway.v1.opt_out_list_pb2 import OptedOutNumber
from heliograph.twoway.v1.opt_out_service_pb2_grpc import OptOutServiceStub
from mesh.errors import Unavailable
from mesh.testkit.rpc import RpcConnect, RpcServe

DEFAULT, ALERTS = f"{SHOP}/optOutLists/default", f"{SHOP}/optOutLists/alerts"
ANN, BOB, CYD = "+14155550101", "+14155550102", "+14155550103"


def listed(opt_out_list: str, address: str) -> OptedOutNumber:
    """A number that went on a list at noon."""
    number = OptedOutNumber(name=f"{opt_out_list}/optedOutNumbers/{address}")
    number.opt_out_time.FromDatetime(NOON)
    return number


async def eligible(room: Room) -> int:
    segment = await room.create_segment({"group": {"operator": "ALL"}})
    counted = await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    found: int = counted.eligible
    return found


async def three_phones(room: Room) -> None:
    for index, address in enumerate((ANN, BOB, CYD)):
        await room.write(f"e{index}", channel_type=1, address=address)


@pytest.fixture
def town() -> Town:
    """twoway, with two lists of one number and of two."""
    known = Town()
    known.lists[DEFAULT] = [listed(DEFAULT, ANN), listed(DEFAULT, BOB)]
    known.lists[ALERTS] = [listed(ALERTS, ANN)]
    return known


async def test_what_is_on_the_lists_is_known_once_they_were_read(
    room: Room, town: Town, rpc_serve: RpcServe, rpc_connect: RpcConnect
) -> None:
    await three_phones(room)
    stub: Any = OptOutServiceStub(rpc_connect(await rpc_serve(town.served())))
    catching_up = CatchingUp(room.sessions, stub, room.now)

    assert [await catching_up.step(), await catching_up.step()] == [True, False]

    assert await eligible(room) == 1


async def test_what_was_heard_later_than_the_list_tells_stays(
    room: Room, town: Town, rpc_serve: RpcServe, rpc_connect: RpcConnect
) -> None:
    await three_phones(room)
    stub: Any = OptOutServiceStub(rpc_connect(await rpc_serve(town.served())))
    await Hearing(room.sessions).handle([delivery(back(BOB, 1))])

    await CatchingUp(room.sessions, stub, room.now).step()

    assert await eligible(room) == 2


async def test_an_application_that_could_not_be_read_is_read_again(
    room: Room, town: Town, rpc_serve: RpcServe, rpc_connect: RpcConnect
) -> None:
    away: Any = OptOutServiceStub(rpc_connect(room.town_address))
    with pytest.raises(Unavailable):
        await CatchingUp(room.sessions, away, room.now).step()

    stub: Any = OptOutServiceStub(rpc_connect(await rpc_serve(town.served())))
    later = CatchingUp(room.sessions, stub, lambda: room.now() + timedelta(hours=1))
    assert [await later.step(), await later.step()] == [True, False]
