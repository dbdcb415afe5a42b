"""Places at a provider: never more taken than there are, and nobody is passed over for ever."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging.places import NoPlaceError, Places

SOON = 5.0


class Guest:
    """Somebody who takes places in the background, until told to leave."""

    def __init__(self, places, count, **wishes):
        self.inside = asyncio.Event()
        self._leaving = asyncio.Event()
        self.task = asyncio.create_task(self._visit(places, count, wishes))

    async def _visit(self, places, count, wishes):
        async with places.taken(count, **{"timeout_seconds": SOON, **wishes}):
            self.inside.set()
            await self._leaving.wait()

    async def leave(self):
        self._leaving.set()
        await self.task


async def settled():
    """What can go on without anybody's doing has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_finds_no_room_waits_until_there_is():
    places = Places(10)
    first, second = Guest(places, 6), Guest(places, 6)
    await first.inside.wait()
    await settled()
    assert not second.inside.is_set()

    await first.leave()

    await second.inside.wait()
    await second.leave()


async def test_nobody_finds_free_what_others_wait_for():
    places = Places(10)
    assert places.free == 10
    first = Guest(places, 6)
    await first.inside.wait()
    assert places.free == 4
    second = Guest(places, 6)
    await settled()
    assert places.free == 0

    await first.leave()
    await second.inside.wait()
    await second.leave()
    assert places.free == 10


async def test_a_small_party_does_not_overtake_a_large_one():
    places = Places(10)
    first, large, small = Guest(places, 6), Guest(places, 6), Guest(places, 1)
    await settled()
    assert not small.inside.is_set()

    await first.leave()

    await large.inside.wait()
    await small.inside.wait()
    await large.leave()
    await small.leave()


async def test_the_urgent_go_before_the_others():
    places = Places(10)
    first, patient = Guest(places, 10), Guest(places, 10)
    await settled()
    urgent = Guest(places, 10, urgent=True)
    await settled()

    await first.leave()

    await urgent.inside.wait()
    assert not patient.inside.is_set()
    await urgent.leave()
    await patient.inside.wait()
    await patient.leave()


async def test_who_waits_too_long_is_told_so_and_blocks_nobody():
    places = Places(10)
    first = Guest(places, 6)
    await first.inside.wait()

    with pytest.raises(NoPlaceError):
        async with places.taken(6, timeout_seconds=0.01):
            pass

    small = Guest(places, 4)
    await small.inside.wait()
    await first.leave()
    await small.leave()


async def test_who_gives_up_waiting_lets_those_behind_in():
    places = Places(10)
    first, large, small = Guest(places, 6), Guest(places, 6), Guest(places, 4)
    await settled()

    large.task.cancel()
    await asyncio.wait([large.task])

    await small.inside.wait()
    await first.leave()
    await small.leave()


async def test_more_places_than_there_are_is_refused():
    with pytest.raises(ValueError, match="11 places of 10"):
        async with Places(10).taken(11, timeout_seconds=SOON):
            pass


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans(), st.booleans()), max_size=40))
async def test_whoever_comes_and_goes_there_are_never_more_inside(parties):
    places, inside = Places(8), []

    async def visit(count, urgent):
        async with AsyncExitStack() as stack:
            taken = places.taken(count, timeout_seconds=SOON, urgent=urgent)
            await stack.enter_async_context(taken)
            inside.append(count)
            stack.callback(inside.remove, count)
            assert sum(inside) <= 8
            await asyncio.sleep(0)

    visits = []
    for count, urgent, impatient in parties:
        visits.append(asyncio.create_task(visit(count, urgent)))
        await asyncio.sleep(0)
        if impatient:
            visits[-1].cancel()
    done = await asyncio.gather(*visits, return_exceptions=True)

    assert all(one is None or isinstance(one, asyncio.CancelledError) for one in done)
    async with places.taken(8, timeout_seconds=SOON):
        assert inside == []


async def test_an_answer_that_comes_after_the_places_were_left_gives_nothing_twice():
    places = Places(10)
    async with places.taken(4, timeout_seconds=SOON) as give_one:
        give_one()
    for _ in range(3):
        give_one()

    assert places.free == 10
