"""How a webhook's address answers, as operators read it, from a real server that refuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import phone_number_service_pb2 as pb
from heliograph.twoway.v1 import pool_service_pb2 as pool_pb
from heliograph.twoway.v1.origination_pb2 import TwoWayWebhook
from heliograph.twoway.v1.phone_number_pb2 import PhoneNumber
from mesh.backoff import Backoff
from mesh.sealing import Sealer
from mesh.testkit.rpc import RpcServe
from mesh.testkit.tokens import MintToken
from twoway.webhooks.delivering import Deliverer, Retries
from twoway.webhooks.posting import Poster
from twoway.webhooks.rules import Webhooks
from twoway_commands import commands
from twoway_receiver import Receiver, listening
from twoway_room import NUMBER, SHOP, Room, sms

ALLOWED = Webhooks(
    Sealer("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), private_addresses_allowed=True
)
NAME = f"{SHOP}/phoneNumbers/{NUMBER}"
AT_ONCE = Retries(backoff=Backoff(first_seconds=0.0, max_seconds=0.0))


@pytest_asyncio.fixture(loop_scope="session")
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    """The application's server."""
    with listening(tmp_path) as listens:
        yield listens


@pytest_asyncio.fixture(loop_scope="session")
async def room(
    database_url: str, sessions: Any, asking: Any, rpc_client: Any, receiver: Receiver
) -> AsyncIterator[Room]:
    """A room whose number has a text to be posted there."""
    async with Room(database_url, sessions, asking, rpc_client, webhooks=ALLOWED) as opened:
        webhook = TwoWayWebhook(uri=f"{receiver.base}/in", signing_secret="a secret")
        await opened.register(two_way_webhook=webhook)
        await opened.receive(sms("Hello"))
        yield opened


async def post(room: Room, receiver: Receiver, rounds: int) -> None:
    """So many rounds, one after the other."""
    poster = Poster(ALLOWED, receiver.authority_file)
    deliverer = Deliverer(room.sessions, ALLOWED, poster, room.wakeups, AT_ONCE)
    for _ in range(rounds):
        await deliverer.round(("shop", f"{receiver.base}/in"))


async def standing(room: Room) -> TwoWayWebhook.Standing:
    number: PhoneNumber = await room.numbers.GetPhoneNumber(pb.GetPhoneNumberRequest(name=NAME))
    return number.two_way_webhook.standing


async def test_a_webhook_tells_since_when_and_how_it_fails_until_it_is_well(
    room: Room, receiver: Receiver
) -> None:
    before: PhoneNumber = await room.numbers.GetPhoneNumber(pb.GetPhoneNumberRequest(name=NAME))
    receiver.answers["/in"] = [503, 500]
    await post(room, receiver, 1)
    first = await standing(room)
    await post(room, receiver, 1)
    second = await standing(room)
    await post(room, receiver, 1)
    well = await standing(room)

    assert not before.two_way_webhook.HasField("standing")
    assert (first.failure, first.failure_status, first.failed_rounds) == ("answered 503", 503, 1)
    assert first.failing_time == first.failure_time
    assert not first.HasField("taken_time")
    assert (second.failure_status, second.failed_rounds) == (500, 2)
    assert second.failing_time == first.failing_time
    assert second.failure_time.ToNanoseconds() > first.failure_time.ToNanoseconds()
    assert second.attempt_time.ToNanoseconds() >= second.failure_time.ToNanoseconds()
    assert receiver.texts() == ["Hello"] * 3
    assert (well.failed_rounds, well.HasField("failing_time")) == (0, False)
    assert (well.failure, well.failure_time) == ("answered 500", second.failure_time)
    assert well.HasField("taken_time")
    assert not well.HasField("attempt_time")


async def test_what_nobody_answered_has_no_status_and_shows_wherever_the_address_is_read(
    room: Room, receiver: Receiver
) -> None:
    nobody = Receiver(base=receiver.base, authority_file="")
    await post(room, nobody, 1)
    pool = await room.pools.CreatePool(
        pool_pb.CreatePoolRequest(parent=SHOP, pool_id="sales", origination_identity=NAME)
    )
    listed = await room.numbers.ListPhoneNumbers(pb.ListPhoneNumbersRequest(parent=SHOP))
    pools = (await room.pools.ListPools(pool_pb.ListPoolsRequest(parent=SHOP))).pools
    pool.display_name = "Sales"
    mask = FieldMask(paths=["display_name"])
    changed = await room.pools.UpdatePool(pool_pb.UpdatePoolRequest(pool=pool, update_mask=mask))

    told = [one.two_way_webhook.standing for one in (pool, *listed.phone_numbers, *pools, changed)]
    assert len(told) == 4
    assert {(one.failure_status, one.failed_rounds, bool(one.failure)) for one in told} == {
        (0, 1, True)
    }


async def test_the_command_shows_what_a_webhook_suffers_from(
    room: Room, receiver: Receiver, rpc_serve: RpcServe, mint_token: MintToken, tmp_path: Path
) -> None:
    receiver.answers["/in"] = [503]
    await post(room, receiver, 1)
    heliograph = commands(await rpc_serve(room.services), mint_token(), tmp_path)
    listed, shown, failing = await heliograph(
        ["webhooks", "list", "--app", "shop"],
        ["numbers", "show", NUMBER, "--app", "shop"],
        ["webhooks", "list", "--app", "shop", "--failing", "--json"],
    )

    assert all(word in listed.out for word in ("answered 503", f"{receiver.base}/in", NUMBER))
    assert "answered 503" in shown.out
    (number,) = failing.json()
    assert number["two_way_webhook"]["standing"]["failure_status"] == 503
