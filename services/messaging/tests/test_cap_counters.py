"""Counters against a plain model: any 24 hours, the same message again, and two at once."""

import asyncio
import random
from collections import Counter as Tally
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import messaging
import pytest
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.store import pool
from messaging.caps import caps, counters
from messaging.caps.counters import Counter, Reservation
from messaging.pipeline import works
from messaging.pipeline.works import Frame
from messaging_samples import RUN, batch, endpoint

MIGRATIONS = Path(messaging.__file__).parent / "migrations"
BEGIN = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHOP = "shop"


@pytest.fixture
async def ledger(migrated_database):
    """Connections to an empty ledger."""
    async with pool.create(await migrated_database(MIGRATIONS), max_size=8) as connections:
        yield connections


def daily(now, count_max):
    return Counter(SHOP, counters.DAILY, count_max, now - caps.DAY)


async def test_in_any_24_hours_nobody_gets_more_than_the_cap(ledger):
    """Messages come at random, some again and some given back; a list of times is the model."""
    chance, count_max, now = random.Random(5), 3, BEGIN
    model: dict[UUID, datetime] = {}
    granted = []
    for number in range(250):
        now += timedelta(hours=chance.choice([0, 1, 3, 9]), seconds=chance.randrange(3))
        again = model and chance.random() < 0.2
        message_id = chance.choice(list(model)) if again else UUID(int=number)
        others = [t for key, t in model.items() if key != message_id and t > now - caps.DAY]

        allowed = await counters.reserve(
            ledger, daily(now, count_max), [Reservation("e", message_id)], now
        )

        assert bool(allowed) == (len(others) < count_max)
        if allowed:
            model[message_id] = now
            granted.append(now)
        if allowed and chance.random() < 0.1:
            await counters.give_back(ledger, SHOP, counters.DAILY, [Reservation("e", message_id)])
            del model[message_id]
    for end in model.values():
        within = [time for time in model.values() if end - caps.DAY < time <= end]
        assert len(within) <= count_max
    counted = await counters.counts(ledger, daily(now, count_max), ["e", "nobody"])
    assert counted == {"e": sum(time > now - caps.DAY for time in model.values())}
    assert len(granted) > 100


async def test_sets_that_overlap_in_any_order_give_each_endpoint_its_number_and_never_lock(ledger):
    endpoints = [f"e{n}" for n in range(120)]

    async def campaign(number):
        chance = random.Random(number)
        members = chance.sample(endpoints, 100)
        reservations = [
            Reservation(one, UUID(int=number * 1000 + index)) for index, one in enumerate(members)
        ]
        async with ledger.acquire() as connection, connection.transaction():
            return await counters.reserve(connection, daily(BEGIN, 4), reservations, BEGIN), members

    answers = await asyncio.gather(*(campaign(number) for number in range(12)))

    asked = Tally(one for _, members in answers for one in members)
    allowed = Tally(one for granted, _ in answers for one in granted)
    assert allowed == {one: min(4, asked[one]) for one in asked}


async def test_a_counter_of_a_campaign_counts_for_ever(ledger):
    total = Counter(SHOP, "spring/1", 2, caps.EVER)
    times = [BEGIN + timedelta(days=100 * n) for n in range(4)]

    allowed = [
        bool(await counters.reserve(ledger, total, [Reservation("e", UUID(int=n))], time))
        for n, time in enumerate(times)
    ]

    assert allowed == [True, True, False, False]
    assert await counters.counts(ledger, total, ["e"]) == {"e": 2}


async def test_who_gives_back_and_takes_never_locks_out_another_who_does(ledger):
    """Each ends some that it had counted and counts others, of the same endpoints as its peers."""
    limits = SendBatch.Caps(daily_max=20, total_max=20, total_key="spring/1")

    async def chunk(number):
        members = [endpoint(index) for index in random.Random(number).sample(range(60), 40)]
        sent = batch(members, run=f"{RUN}{number}", source=f"{RUN}{number}")
        rows = [work.row for work in works.make(Frame(sent, [], {}, BEGIN), sent.recipients)]
        async with ledger.acquire() as connection, connection.transaction():
            await caps.reserve(connection, limits, rows[:20], BEGIN)
        async with ledger.acquire() as connection, connection.transaction():
            return await caps.reserve(connection, limits, rows[20:], BEGIN, rows[:20])

    refused = await asyncio.gather(*(chunk(number) for number in range(8)))

    assert not any(refused)
    total = await ledger.fetchval("SELECT count(*) FROM cap_counters, jsonb_each(messages)")
    assert total == 2 * 8 * 20
