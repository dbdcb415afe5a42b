"""Whoever is wanted is woken, and nobody else."""

import pytest
from campaign.looking import Looking
from campaign_samples import begin, launch


@pytest.fixture
def woken(room):
    """Look; who was woken by it."""
    looking = Looking(room.sessions, room.clock.now)
    loops = {
        "ticker": looking.due.wakeup(),
        "fan-out": looking.sending.wakeup(),
        "paced": looking.paced.wakeup(),
        "closing": looking.closing.wakeup(),
    }

    async def look():
        await looking.step()
        return [name for name, loop in loops.items() if await loop.wait(0)]

    return look


async def test_a_run_wakes_who_begins_it_who_sends_it_and_who_closes_it(room, woken):
    seen = [await woken()]
    await launch(room)
    seen.append(await woken())
    await begin(room)
    seen.append(await woken())
    await room.fanout().step()
    seen.append(await woken())
    await room.closing.step()
    seen.append(await woken())

    assert seen == [[], ["ticker"], ["fan-out"], ["closing"], []]


async def test_a_run_with_a_pace_wakes_who_sends_such(room, woken):
    await launch(room, "limits { messages_per_second: 100 }")
    await begin(room)
    await room.fanout().step()  # it turns out to have a pace

    assert await woken() == ["paced"]


async def test_a_run_that_somebody_holds_wakes_nobody(room, woken):
    await launch(room)
    await begin(room)
    await room.fanout()._take(paced=False)

    assert await woken() == []
    room.clock.forward(hours=1)
    assert await woken() == ["fan-out"]
