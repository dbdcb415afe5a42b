"""Who waits is woken by what they wait for, and by nothing else."""

import asyncio

from mesh.store import engine
from twoway import clock
from twoway.tables import InboundMessage
from twoway.wakeups import Wakeups
from twoway.webhooks import store as posts
from twoway_room import NUMBER, Room, sms

FOREVER = 60.0


async def test_a_text_wakes_only_those_whom_it_concerns(room: Room, database_url: str) -> None:
    wakeups = Wakeups()
    texts, replies = wakeups.texts.wakeup(), wakeups.replies.wakeup()
    promised, lists = wakeups.posts.wakeup(), wakeups.lists.wakeup()
    waking = asyncio.create_task(wakeups.run(database_url))
    for woken_by_the_connection in (texts, replies, promised):
        assert await woken_by_the_connection.wait(FOREVER)

    await room.receive(sms("How are you?"))
    assert await texts.wait(FOREVER)
    # With the second text, everything has been heard that the first one caused.
    await room.receive(sms("And your dog?", at_seconds=1))
    assert await texts.wait(FOREVER)
    assert not await replies.wait(0)

    await room.receive(sms("STOP", at_seconds=2))
    assert await replies.wait(FOREVER)
    assert not await promised.wait(0)

    await _promise(room)
    assert await promised.wait(FOREVER)
    assert not await lists.wait(0)
    waking.cancel()
    await asyncio.wait([waking])


async def _promise(room: Room) -> None:
    text = InboundMessage(
        application="shop",
        inbound_message="in-1",
        source_address="+12065550191",
        destination_address=NUMBER,
        text="hello",
        receive_time=clock.now(),
        intent="NONE",
    )
    async with room.sessions.begin() as session:
        await posts.promise(await engine.raw(session), [text], clock.now())
