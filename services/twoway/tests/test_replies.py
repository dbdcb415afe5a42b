"""Answers handed to messaging: each exactly once, whatever goes wrong between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from heliograph.messaging.v1 import content_pb2, message_service_pb2_grpc
from heliograph.twoway.v1 import conversation_service_pb2
from mesh.errors import InvalidArgument, Unavailable, Unimplemented
from mesh.store import failures
from mesh.testkit import eventually
from mesh.testkit.rpc import RpcClient
from sqlalchemy import text
from sqlmodel import col, select
from twoway import clock
from twoway.replies.sending import ReplySender
from twoway.tables import ReplySetRow
from twoway_messaging import SERVICE, MessageServicer
from twoway_room import NUMBER, SHOP, Room, sms

ANN, BOB = "+12065550191", "+12065550192"
END_TRANSACTIONS_OF_OTHERS = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()
"""


@pytest.fixture
def messaging() -> MessageServicer:
    return MessageServicer()


@pytest_asyncio.fixture(loop_scope="session")
async def sender(
    room: Room, messaging: MessageServicer, rpc_client: RpcClient
) -> AsyncIterator[ReplySender]:
    channel = await rpc_client({SERVICE: messaging})
    stub = message_service_pb2_grpc.MessageServiceStub(channel)
    yield ReplySender(room.asking, stub, room.wakeups)


async def pending(room: Room) -> list[ReplySetRow]:
    async with room.sessions() as session:
        query = select(ReplySetRow).order_by(col(ReplySetRow.id))
        return list((await session.exec(query)).all())


async def reply_of_latest(room: Room) -> str:
    request = conversation_service_pb2.ListInboundMessagesRequest(parent=SHOP, page_size=1)
    page = await room.conversations.ListInboundMessages(request)
    reply: str = page.inbound_messages[0].reply
    return reply


async def test_a_confirmation_comes_from_the_number_that_was_written_to(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    await room.receive(sms("STOP", ANN), sms("STOP", BOB))

    assert await sender.step(clock.now()) == 1

    (request,) = messaging.requests.values()
    assert request.parent == SHOP
    assert request.purpose == content_pb2.OPT_OUT_CONFIRMATION
    assert request.content.sms.origination_identity == NUMBER
    assert [one.address.address for one in request.recipients] == [ANN, BOB]
    assert request.HasField("expire_time")
    assert await pending(room) == []
    assert (await reply_of_latest(room)).startswith(f"{SHOP}/messages/twoway-")


async def test_a_send_for_each_purpose_and_text_and_one_call_for_all(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    writers = [f"+1206{number:07}" for number in range(60)]
    words = ("STOP", "HELP", "ARRET")

    await room.receive(*(sms(words[at % 3], who) for at, who in enumerate(writers)))
    await sender.step(clock.now())

    assert messaging.calls == 1
    assert [len(send.recipients) for send in messaging.requests.values()] == [20, 20, 20]
    assert len(messaging.sent) == 60


async def test_messaging_that_is_away_gets_the_same_set_later(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    # Of the first call, gRPC's own repetitions take four.
    messaging.failures = [Unavailable("AWAY", "messaging is away")] * 4
    await room.receive(sms("STOP", ANN))

    assert await sender.step(clock.now()) == 0
    (row,) = await pending(room)
    assert await sender.step(clock.now() + timedelta(minutes=1)) == 1

    assert "AWAY" in row.failure
    assert len(messaging.sent) == 1


async def test_an_answer_that_gets_lost_sends_nothing_twice(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    messaging.answer_lost = [Unavailable("LOST", "the answer is lost")] * 5
    await room.receive(sms("STOP", ANN))

    await sender.step(clock.now())
    await sender.step(clock.now() + timedelta(minutes=1))

    assert messaging.calls > 4
    assert len(messaging.sent) == 1
    assert await pending(room) == []


async def test_a_crash_before_the_record_of_the_answer_sends_nothing_twice(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    await room.receive(sms("STOP", ANN))

    async def lose_the_claim() -> None:
        async with room.sessions.begin() as session:
            await session.exec(text(END_TRANSACTIONS_OF_OTHERS))

    messaging.meanwhile = [lose_the_claim]
    with pytest.raises(Exception) as lost:
        await sender.step(clock.now())
    await sender.step(clock.now())

    assert failures.is_transient(lost.value)

    assert messaging.calls == 2
    assert len(messaging.sent) == 1


async def test_a_set_that_is_refused_for_good_does_not_hold_up_the_others(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    messaging.refusals = [InvalidArgument("NO", "never")]
    await room.receive(sms("STOP", ANN))
    await sender.step(clock.now())
    await room.receive(sms("HELP", ANN, at_seconds=1))

    assert await sender.step(clock.now()) == 1

    (refused,) = await pending(room)
    assert (refused.state, refused.purpose) == ("REFUSED", "OPT_OUT_CONFIRMATION")


async def test_a_call_that_is_refused_is_no_fault_of_its_sets(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    """As by a messaging that is older than the call."""
    messaging.failures = [Unimplemented("METHOD_NOT_IMPLEMENTED", "not yet")]
    await room.receive(sms("STOP", ANN), sms("HELP", BOB))

    assert await sender.step(clock.now()) == 0
    rows = await pending(room)
    assert await sender.step(clock.now() + timedelta(minutes=1)) == 2

    assert {(row.state, "not yet" in row.failure) for row in rows} == {("PENDING", True)}


async def test_a_set_that_spoils_a_call_spoils_it_once_for_the_others(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    await room.receive(sms("STOP", ANN), sms("HELP", BOB))
    messaging.spoiling = {(await pending(room))[0].reply_text}

    assert await sender.step(clock.now()) == 0
    assert await sender.step(clock.now() + timedelta(minutes=1)) == 1

    assert [address for address, _ in messaging.sent] == [BOB]
    assert [row.addresses for row in await pending(room)] == [[ANN]]


async def test_a_person_gets_their_answers_in_order(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    messaging.failures = [Unavailable("AWAY", "away")] * 4
    await room.receive(sms("STOP", ANN), sms("HELP", ANN, at_seconds=1))
    now = clock.now()
    later = now + timedelta(minutes=1)

    # The second answer waits although only the first one failed.
    assert await sender.step(now) == 0
    assert await sender.step(now) == 0
    assert await sender.step(later) == 1
    assert await sender.step(later) == 1

    assert [text.split()[0] for _, text in messaging.sent] == ["You", "Reply"]


async def test_who_waits_for_an_earlier_answer_gets_theirs_as_soon_as_it_has_left(
    room: Room, messaging: MessageServicer, rpc_client: RpcClient
) -> None:
    stub = message_service_pb2_grpc.MessageServiceStub(await rpc_client({SERVICE: messaging}))
    never_polling = ReplySender(room.asking, stub, room.wakeups, poll_seconds=600.0)
    for at in range(5):
        await room.receive(sms("HELP", ANN, at_seconds=at), sms("HELP", BOB, at_seconds=at))

    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(never_polling.run()) for _ in range(2)]

        async def none_is_pending() -> bool:
            return not await pending(room)

        await eventually(none_is_pending)
        for run in runs:
            run.cancel()

    assert messaging.calls == 5
    assert len(messaging.sent) == 10


async def test_replicas_share_the_work_and_send_nothing_twice(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    for batch in range(10):
        await room.receive(*(sms("STOP", f"+1206{batch}{number:06}") for number in range(5)))

    while await pending(room):
        await asyncio.gather(*(sender.step(clock.now()) for _ in range(4)))

    assert messaging.calls <= 10
    assert len(messaging.sent) == 50


async def test_an_answer_that_could_not_leave_for_a_day_is_given_up(
    room: Room, messaging: MessageServicer, sender: ReplySender
) -> None:
    messaging.failures = [Unavailable("AWAY", "away")] * 8
    await room.receive(sms("HELP", ANN))

    await sender.step(clock.now() + timedelta(hours=25))

    (row,) = await pending(room)
    assert row.state == "REFUSED"
