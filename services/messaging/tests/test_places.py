"""Places at a provider: never more taken than there are, and nobody is passed over for ever."""

import asyncio
import math
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging.places import Places

AT_ONCE = 0.0
NEVER = math.inf


class Guest:
    """Somebody who takes what places there are for them, until they have had all they want."""

    def __init__(self, places, count, **wishes):
        self.taken = []
        self.task = asyncio.create_task(self._visit(places, count, wishes))

    async def _visit(self, places, count, wishes):
        with places.wanted(count, **wishes) as party:
            while self.had < count:
                self.taken.append(await party.take())

    @property
    def had(self):
        return sum(self.counts)

    @property
    def counts(self):
        return [taken.count for taken in self.taken]

    async def leave(self):
        self.task.cancel()
        await asyncio.wait([self.task])
        for taken in self.taken:
            taken.give_rest()


async def settled():
    """What can go on without anybody's doing has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_who_finds_room_for_some_begins_with_them_and_gets_the_rest_as_it_comes():
    places = Places(10)
    first, second = Guest(places, 6), Guest(places, 6)
    await settled()
    assert (first.counts, second.counts) == ([6], [4])

    for _ in range(2):
        first.taken[0].give_one()
    await settled()

    assert second.counts == [4, 2]
    await asyncio.gather(first.leave(), second.leave())


async def test_more_places_than_there_are_come_one_window_after_the_other():
    places = Places(10)
    guest = Guest(places, 25)
    for number in range(3):
        await settled()
        guest.taken[number].give_rest()
    await guest.task

    assert guest.counts == [10, 10, 5]


async def test_places_that_are_never_given_back_hold_up_nobody_while_there_are_others():
    places = Places(64, 16)
    silent, other = Guest(places, 64), Guest(places, 256)
    await settled()
    for _ in range(63):
        silent.taken[0].give_one()
    while not other.task.done():
        await settled()
        other.taken[-1].give_rest()

    assert other.counts == [63, 63, 63, 63, 4]
    await silent.leave()


async def test_what_comes_free_in_the_same_moment_is_taken_together():
    places = Places(64, 16)
    first, second = Guest(places, 64), Guest(places, 64)
    await settled()

    for _ in range(40):
        first.taken[0].give_one()
    await settled()

    assert second.counts == [40]
    await asyncio.gather(first.leave(), second.leave())


async def test_few_that_are_free_wait_for_company_but_not_for_ever():
    for gathering_seconds, counts in [(NEVER, []), (AT_ONCE, [3])]:
        places = Places(64, 16, gathering_seconds)
        first, second = Guest(places, 64), Guest(places, 64)
        await settled()

        for _ in range(3):
            first.taken[0].give_one()
        await settled()

        assert second.counts == counts
        await asyncio.gather(first.leave(), second.leave())


async def test_who_wants_only_few_waits_for_no_company():
    places = Places(64, 16, NEVER)
    first, second, third = Guest(places, 64), Guest(places, 2, urgent=True), Guest(places, 3)
    await settled()

    for had in [(0, 0), (2, 0), (2, 0), (2, 0), (2, 3)]:
        first.taken[0].give_one()
        await settled()
        assert (second.had, third.had) == had
    await asyncio.gather(first.leave(), second.leave(), third.leave())


async def test_nobody_overtakes_in_their_own_queue():
    places = Places(10)
    first, large, small = Guest(places, 10), Guest(places, 20), Guest(places, 1)
    await settled()
    for taken in (first.taken, large.taken):
        assert small.counts == []
        taken[0].give_rest()
        await settled()

    assert (large.counts, small.counts) == ([10, 10], [])
    large.taken[1].give_one()
    await small.task
    await asyncio.gather(first.leave(), large.leave(), small.leave())


async def test_the_urgent_go_before_the_others():
    places = Places(10)
    first, patient = Guest(places, 10), Guest(places, 10)
    await settled()
    urgent = Guest(places, 10, urgent=True)
    await settled()

    first.taken[0].give_rest()
    await settled()

    assert (urgent.counts, patient.counts) == ([10], [])
    urgent.taken[0].give_rest()
    await settled()
    assert patient.counts == [10]
    await asyncio.gather(first.leave(), urgent.leave(), patient.leave())


async def test_after_a_window_of_urgent_ones_some_of_the_patient_have_their_turn():
    places = Places(8, 2)
    urgent = [Guest(places, 8, urgent=True) for _ in range(5)]
    patient = Guest(places, 8)
    await settled()
    for guest in urgent[:3]:
        guest.taken[0].give_rest()
        await settled()

    assert [guest.counts for guest in urgent] == [[8], [8], [6, 2], [2], []]
    assert patient.counts == [2, 2]
    await asyncio.gather(patient.leave(), *(guest.leave() for guest in urgent))


async def test_who_gives_up_waiting_lets_those_behind_in():
    places = Places(10, 5, NEVER)
    first, large, small = Guest(places, 6), Guest(places, 6), Guest(places, 4)
    await settled()
    assert (large.counts, small.counts) == ([], [])

    await large.leave()

    await small.task
    await asyncio.gather(first.leave(), small.leave())


async def test_what_was_ready_when_somebody_gave_up_is_given_back():
    places = Places(10)
    with pytest.raises(LookupError), places.wanted(20):
        raise LookupError

    guest = Guest(places, 10)
    await guest.task
    assert guest.counts == [10]


async def test_an_answer_that_comes_after_the_places_were_left_gives_nothing_twice():
    places = Places(10)
    with places.wanted(4) as party:
        taken = await party.take()
        taken.give_one()
        taken.give_rest()
    for _ in range(3):
        taken.give_one()
        taken.give_rest()

    guest = Guest(places, 20)
    await settled()
    assert guest.counts == [10]
    await guest.leave()


def test_no_places_at_all_are_nothing_to_wait_for():
    with pytest.raises(ValueError, match="0 places"), Places(10).wanted(0):
        pass


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.integers(1, 20), st.booleans()),
        st.tuples(st.just("answer"), st.integers(0, 99), st.integers(1, 8)),
        st.tuples(st.just("leave"), st.integers(0, 99), st.none()),
        st.tuples(st.just("rest"), st.none(), st.none()),
    ),
    max_size=40,
)


@given(STEPS, st.integers(1, 8), st.sampled_from([AT_ONCE, NEVER]))
async def test_whoever_comes_and_goes_all_places_are_used_and_none_twice(
    steps, together, gathering
):
    places, guests, out = Places(8, together, gathering), [], 0
    for step, number, how in steps:
        if step == "come":
            guests.append(Guest(places, number, urgent=how))
        elif step == "rest":
            await settled()
        elif guests:
            guest = guests[number % len(guests)]
            await guest.leave() if step == "leave" else answer(guest, how)
        out = sum(taken._held for guest in guests for taken in guest.taken)
        assert out <= 8
    await settled()

    waiting = [guest for guest in guests if not guest.task.done()]
    out = sum(taken._held for guest in guests for taken in guest.taken)
    assert not waiting or out > 8 - (1 if gathering == AT_ONCE else together)
    await asyncio.gather(*(guest.leave() for guest in guests))
    with ExitStack() as stack:
        assert (await stack.enter_context(places.wanted(99)).take()).count == 8


def answer(guest, count):
    """The oldest of what a guest has are answered."""
    for taken in guest.taken:
        for _ in range(count):
            taken.give_one()


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=12))
async def test_everybody_gets_what_they_want_each_queue_in_its_order(wishes):
    places, ends = Places(8, 3, AT_ONCE), {True: [], False: []}
    guests = [Guest(places, count, urgent=urgent) for count, urgent in wishes]
    for number, guest in enumerate(guests):
        urgent = wishes[number][1]
        guest.task.add_done_callback(lambda _, u=urgent, n=number: ends[u].append(n))
    while not all(guest.task.done() for guest in guests):
        await settled()
        for guest in guests:
            answer(guest, 1)
    await settled()

    assert [guest.had for guest in guests] == [count for count, _ in wishes]
    assert all(order == sorted(order) for order in ends.values())


@given(st.integers(1, 12), st.integers(1, 4))
async def test_however_many_are_urgent_a_patient_one_gets_some_after_two_windows(wanted, together):
    places = Places(4, together, AT_ONCE)
    urgent = Guest(places, 10_000, urgent=True)
    await settled()
    patient, before = Guest(places, wanted), urgent.had
    await settled()
    while not patient.task.done():
        answer(urgent, 1)
        answer(patient, 1)
        await settled()

    assert urgent.had - before < 2 * 4 * (wanted + 1)
    await asyncio.gather(urgent.leave(), patient.leave())
