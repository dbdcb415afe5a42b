"""Texts posted to an application's own HTTPS server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.twoway.v1 import events_pb2
from heliograph.twoway.v1 import phone_number_service_pb2 as pb
from heliograph.twoway.v1 import pool_service_pb2 as pool_pb
from heliograph.twoway.v1.origination_pb2 import TwoWayWebhook
from heliograph.twoway.v1.phone_number_pb2 import PhoneNumber
from mesh.backoff import Backoff
from mesh.errors import Error
from mesh.sealing import Sealer
from mesh.store import engine
from mesh.testkit.waiting import eventually
from sqlmodel import select
from twoway import clock
from twoway.webhooks import store
from twoway.webhooks.delivering import Deliverer, Retries
from twoway.webhooks.posting import Poster
from twoway.webhooks.rules import Webhooks
from twoway.webhooks.tables import WebhookDestinationRow, WebhookPostRow
from twoway_receiver import Receiver, listening
from twoway_room import NUMBER, SHOP, Room, announced, sms

SECRET, FRESH = (f"whsec_{base64.b64encode(bytes([one]) * 32).decode()}" for one in (1, 2))
OTHER = "+12065550101"
ALLOWED = Webhooks(
    Sealer(base64.b64encode(bytes(32)).decode()), http_allowed=True, private_addresses_allowed=True
)
SOON = Backoff(first_seconds=0.01, max_seconds=0.05)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with listening(tmp_path) as listens:
        yield listens


@pytest_asyncio.fixture(loop_scope="session")
async def room(
    database_url: str, sessions: Any, asking: Any, rpc_client: Any
) -> AsyncIterator[Room]:
    async with Room(database_url, sessions, asking, rpc_client, webhooks=ALLOWED) as opened:
        yield opened


@asynccontextmanager
async def posting(
    room: Room, receiver: Receiver, webhooks: Webhooks = ALLOWED, **retries: Any
) -> AsyncIterator[Deliverer]:
    poster = Poster(webhooks, receiver.authority_file)
    wanted = Retries(backoff=SOON, poll_seconds=0.05, **retries)
    deliverer = Deliverer(room.sessions, webhooks, poster, room.wakeups, wanted)
    running = asyncio.create_task(deliverer.run())
    try:
        yield deliverer
    finally:
        running.cancel()
        await asyncio.wait([running])


async def register(room: Room, receiver: Receiver, number: str = NUMBER, path: str = "/in") -> None:
    webhook = TwoWayWebhook(uri=f"{receiver.base}{path}", signing_secret=SECRET)
    await room.register(number, two_way_webhook=webhook)


async def posts_left(room: Room) -> list[WebhookPostRow]:
    async with room.sessions() as session:
        return list((await session.exec(select(WebhookPostRow))).all())


async def test_a_text_is_posted_with_a_signature_that_the_receiver_can_check(room, receiver):
    await register(room, receiver)
    async with posting(room, receiver):
        await room.receive(sms("Hello 👋", inbound_id="one"))
        await eventually(lambda: len(receiver.posts) == 1)

    (post,) = receiver.posts
    assert post.is_signed_with(SECRET)
    assert not post.is_signed_with(FRESH)
    assert post.headers["webhook-id"].startswith("msg_")
    said = json.loads(post.body)
    assert said["type"] == "inbound_message.received"
    assert said["data"]["name"] == f"{SHOP}/inboundMessages/one"
    assert (said["data"]["text"], said["data"]["intent"]) == ("Hello 👋", "CHATTER")


async def test_what_fails_comes_again_with_the_same_id_and_in_the_order_of_its_sender(
    room, receiver
):
    await register(room, receiver)
    receiver.answers["/in"] = [503, 302, 404, 500]
    async with posting(room, receiver):
        texts = [sms(f"text {n}", inbound_id=f"t{n}", at_seconds=n) for n in range(3)]
        await room.receive(*texts)
        await eventually(lambda: receiver.texts()[-1:] == ["text 2"])

    assert receiver.texts() == ["text 0"] * 5 + ["text 1", "text 2"]
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 3
    assert receiver.texts("/elsewhere") == []


async def test_a_dead_address_holds_up_nobody_else(room, receiver):
    await register(room, receiver, NUMBER, "/slow")
    await register(room, receiver, OTHER)
    async with posting(room, receiver):
        await room.receive(sms("into the void"))
        await room.receive(*(sms(f"{n}", f"+1206555{n:04}", OTHER) for n in range(100)))
        await eventually(lambda: len(receiver.texts()) == 100)
        assert receiver.texts("/slow") == []
        receiver.held.set()
        await eventually(lambda: receiver.texts("/slow") == ["into the void"])


async def test_what_nobody_takes_over_in_time_is_announced_and_stays_to_be_looked_at(
    room, receiver
):
    await register(room, receiver)
    receiver.answers["/in"] = [503]
    async with posting(room, receiver, time_to_live=timedelta(0)):
        await room.receive(sms("too late", inbound_id="late"))
        await room.receive(sms("still in time", inbound_id="next", at_seconds=1))
        await eventually(lambda: "still in time" in receiver.texts())

    (left,) = [row for row in await posts_left(room) if row.state == "FAILED"]
    assert (left.inbound_message, left.failure, left.attempts) == ("late", "answered 503", 1)
    (event,) = await announced(room, events_pb2.InboundMessagesUndelivered)
    assert event.undelivered[0].inbound_message == f"{SHOP}/inboundMessages/late"
    async with room.sessions() as session:
        (destination,) = (await session.exec(select(WebhookDestinationRow))).all()
    assert destination.failure == "answered 503"


async def test_a_text_that_waits_for_an_earlier_one_makes_nobody_look(room, receiver):
    await register(room, receiver)
    await room.receive(sms("refused"), sms("behind it", at_seconds=1))
    now, key = clock.now(), ("shop", f"{receiver.base}/in")
    async with room.sessions.begin() as session:
        connection = await engine.raw(session)
        (first,) = await store.waiting(connection, key, now, 10)
        assert await store.due(connection, now, 10) == [key]

        later = (first["inbound_message"], "answered 503", "PENDING", now + timedelta(minutes=1))
        await store.failed(connection, "shop", [later])

        assert await store.due(connection, now, 10) == []
        assert await store.due(connection, now + timedelta(minutes=2), 10) == [key]


async def test_a_new_secret_signs_beside_the_former_one_and_none_is_given_back(room, receiver):
    await register(room, receiver)
    number = PhoneNumber(name=f"{SHOP}/phoneNumbers/{NUMBER}")
    number.two_way_webhook.signing_secret = FRESH
    mask = FieldMask(paths=["two_way_webhook.signing_secret"])
    changed = await room.numbers.UpdatePhoneNumber(
        pb.UpdatePhoneNumberRequest(phone_number=number, update_mask=mask)
    )
    assert changed.two_way_webhook.uri == f"{receiver.base}/in"
    assert changed.two_way_webhook.signing_secret == ""
    assert changed.two_way_webhook.HasField("former_secret_expire_time")
    async with posting(room, receiver):
        await room.receive(sms("Hello"))
        await eventually(lambda: len(receiver.posts) == 1)

    assert receiver.posts[0].is_signed_with(SECRET)
    assert receiver.posts[0].is_signed_with(FRESH)


async def test_where_a_name_leads_is_judged_when_it_is_connected_to(room, receiver):
    await register(room, receiver)
    strict = Webhooks(ALLOWED.sealer)
    async with posting(room, receiver, strict, time_to_live=timedelta(0)):
        await room.receive(sms("Hello"))
        await eventually(lambda: _failed(room))

    assert receiver.posts == []
    (left,) = await posts_left(room)
    assert "not on the internet" in left.failure


async def _failed(room: Room) -> bool:
    return [row.state for row in await posts_left(room)] == ["FAILED"]


async def test_two_replicas_post_each_text_once(room, receiver):
    await register(room, receiver)
    async with posting(room, receiver), posting(room, receiver):
        await room.receive(*(sms(f"{n}", f"+1206555{n:04}") for n in range(150)))
        await eventually(lambda: len(receiver.posts) >= 150)
        await eventually(lambda: _nothing_left(room))

    assert sorted(receiver.texts(), key=int) == [f"{n}" for n in range(150)]


async def _nothing_left(room: Room) -> bool:
    return not await posts_left(room)


async def test_numbers_of_a_pool_post_where_the_pool_does(room, receiver):
    await register(room, receiver)
    pool = await room.pools.CreatePool(
        pool_pb.CreatePoolRequest(
            parent=SHOP, pool_id="sales", origination_identity=f"{SHOP}/phoneNumbers/{NUMBER}"
        )
    )
    assert pool.two_way_webhook.uri == f"{receiver.base}/in"
    pool.two_way_webhook.uri = f"{receiver.base}/pool"
    mask = FieldMask(paths=["two_way_webhook.uri"])
    await room.pools.UpdatePool(pool_pb.UpdatePoolRequest(pool=pool, update_mask=mask))
    async with posting(room, receiver):
        await room.receive(sms("Hello"))
        await eventually(lambda: receiver.texts("/pool") == ["Hello"])

    number = PhoneNumber(name=f"{SHOP}/phoneNumbers/{NUMBER}")
    number.two_way_webhook.signing_secret = FRESH
    mask = FieldMask(paths=["two_way_webhook.signing_secret"])
    with pytest.raises(Error) as refused:
        await room.numbers.UpdatePhoneNumber(
            pb.UpdatePhoneNumberRequest(phone_number=number, update_mask=mask)
        )
    assert refused.value.reason == "PHONE_NUMBER_ASSOCIATED_TO_POOL"
    assert receiver.posts[0].is_signed_with(SECRET)
