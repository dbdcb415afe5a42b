"""Opt-outs that are announced reach the counts of segments, in whatever order they come."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from audience.consent import hearing
from audience.consent.hearing import Hearing
from audience_consent import back, delivery, ended, out
from audience_room import Room
from heliograph import subjects
from heliograph.audience.v1 import endpoint_pb2
from heliograph.audience.v1 import segment_service_pb2 as pb
from heliograph.twoway.v1 import events_pb2
from mesh.errors import InvalidArgument
from mesh.eventing import jetstream, publisher
from mesh.store import pool, tombstones
from mesh.testkit import eventually

PHONES = {"group": {"operator": "ALL"}}
ANN, BOB, CYD = "+14155550101", "+14155550102", "+14155550103"
SMS, VOICE, EMAIL = 1, 6, 2


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Any]:
    """The tables themselves."""
    async with pool.create(database_url, max_size=1) as opened:
        yield opened


async def hear(room: Room, *events: Any) -> None:
    """Hear these together."""
    await Hearing(room.sessions).handle([delivery(event) for event in events])


async def count(room: Room) -> pb.CountSegmentResponse:
    """Everybody of `shop`, counted."""
    segment = await room.create_segment(PHONES)
    counted = await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    assert isinstance(counted, pb.CountSegmentResponse)
    return counted


async def eligible(room: Room) -> int:
    return (await count(room)).eligible


async def three_phones(room: Room) -> None:
    for index, address in enumerate((ANN, BOB, CYD)):
        await room.write(f"e{index}", channel_type=SMS, address=address)


async def test_a_stop_takes_a_member_out_of_reach_and_a_start_brings_it_back(room: Room) -> None:
    await three_phones(room)

    await hear(room, out(ANN, 1))
    after_stop = await count(room)
    await hear(room, back(ANN, 2))

    assert (after_stop.total, after_stop.eligible) == (3, 2)
    assert dict(after_stop.eligible_by_channel) == {"SMS": 2}
    assert await eligible(room) == 3


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([out(ANN, 1), out(ANN, 1)], 2),
        ([out(ANN, 1), back(ANN, 2), out(ANN, 1)], 3),
        ([back(ANN, 2), out(ANN, 1)], 3),
        ([back(ANN, 1), out(ANN, 1)], 2),
        ([out(ANN, 1), back(ANN, 1)], 2),
        ([out(ANN, 1), out(ANN, 1, "alerts"), back(ANN, 2)], 2),
        ([out(ANN, 1, "alerts"), ended("alerts", 2)], 3),
        ([ended("alerts", 2), out(ANN, 1, "alerts")], 3),
        ([ended("alerts", 2), out(ANN, 3, "alerts")], 2),
        ([out(ANN, 1), ended("alerts", 2)], 2),
        ([out(ANN, 1), out(BOB, 1), out(CYD, 1)], 0),
    ],
)
async def test_what_holds_is_the_latest_fact_and_not_the_latest_delivery(
    room: Room, events: list[Any], left: int
) -> None:
    await three_phones(room)

    for event in events:
        await hear(room, event)
    one_by_one = await eligible(room)
    await hear(room, *events)

    assert (one_by_one, await eligible(room)) == (left, left)


async def test_any_order_and_any_cut_of_deliveries_ends_the_same(room: Room, database: Any) -> None:
    chance = random.Random(11)
    for round_number in range(40):
        app = f"round-{round_number}"
        events = [a_random_event(chance, app) for _ in range(chance.randint(1, 14))]
        shuffled = events + chance.choices(events, k=4)
        chance.shuffle(shuffled)
        while shuffled:
            size = chance.randint(1, 5)
            await hear(room, *shuffled[:size])
            shuffled = shuffled[size:]

        rows = await database.fetch(
            "SELECT address, opt_out_list FROM address_opt_out"
            " WHERE application = $1 AND opted_out",
            app,
        )
        assert {tuple(row) for row in rows} == followed(events), events


def a_random_event(chance: random.Random, app: str) -> Any:
    """One of few addresses and lists, at one of few moments, so that they meet."""
    at_seconds, opt_out_list = chance.randint(1, 6), chance.choice(["default", "alerts"])
    kind = chance.choice([out, out, back, back, ended])
    if kind is ended:
        return ended(opt_out_list, at_seconds, app)
    return kind(chance.choice([ANN, BOB]), at_seconds, opt_out_list, app)


def followed(events: list[Any]) -> set[tuple[str, str]]:
    """Who is on which list, by the definition: the facts as they happened, STOP last of equals,
    and the end of a list the very last."""
    on: set[tuple[str, str]] = set()
    for event in sorted(events, key=when):
        if isinstance(event, events_pb2.OptOutListDeleted):
            list_id = event.opt_out_list.rpartition("/")[2]
            on = {pair for pair in on if pair[1] != list_id}
            continue
        (change,) = event.changes
        pair = (change.destination_address, change.opt_out_list.rpartition("/")[2])
        on = on | {pair} if isinstance(event, events_pb2.NumberOptedOut) else on - {pair}
    return on


def when(event: Any) -> tuple[int, int]:
    """The order of facts."""
    if isinstance(event, events_pb2.OptOutListDeleted):
        return event.delete_time.ToSeconds(), 2
    is_stop = isinstance(event, events_pb2.NumberOptedOut)
    return event.changes[0].change_time.ToSeconds(), int(is_stop)


async def test_an_endpoint_that_is_written_after_the_stop_is_out_of_reach(room: Room) -> None:
    await hear(room, out(ANN, 1))

    await three_phones(room)

    assert await eligible(room) == 2


async def test_a_stop_counts_for_texts_and_calls_and_not_for_mail(room: Room) -> None:
    await room.write("text", channel_type=SMS, address=ANN)
    await room.write("call", channel_type=VOICE, address=ANN)
    await room.write("mail", channel_type=EMAIL, address="ann@example.org")

    await hear(room, out(ANN, 1), out("ann@example.org", 1))

    assert dict((await count(room)).eligible_by_channel) == {"EMAIL": 1}


async def test_a_preview_tells_who_is_out_of_reach(room: Room) -> None:
    await three_phones(room)
    await room.write("e3", channel_type=EMAIL, address="ann@example.org", opt_out="ALL")
    await hear(room, out(ANN, 1), out("ann@example.org", 1))
    segment = await room.create_segment(PHONES)

    shown = await room.segments.PreviewSegment(pb.PreviewSegmentRequest(name=segment.name))

    assert [one.rpartition("/")[2] for one in shown.out_of_reach] == ["e0", "e3"]
    assert len(shown.endpoints) == 4


async def test_what_is_heard_late_of_a_deleted_application_is_let_go(
    room: Room, database: Any
) -> None:
    async with room.sessions.begin() as session:
        await tombstones.bury(session, "other", "operations/o", room.now(), room.now())

    await hear(room, out(ANN, 1, app="other"), out(BOB, 1))

    kept = await database.fetch("SELECT application, address FROM address_opt_out")
    assert [tuple(row) for row in kept] == [("shop", BOB)]


async def test_an_opt_out_of_another_application_counts_there_alone(room: Room) -> None:
    await three_phones(room)

    await hear(room, out(ANN, 1, app="other"))

    assert await eligible(room) == 3


async def test_who_is_opted_out_already_is_not_taken_off_twice(room: Room) -> None:
    await room.write("e", channel_type=SMS, address=ANN, opt_out=endpoint_pb2.Endpoint.ALL)

    await hear(room, out(ANN, 1))

    assert await eligible(room) == 0


async def test_what_tells_nothing_about_opt_outs_is_refused(room: Room) -> None:
    subject = "heliograph.twoway.v1.KeywordMatched.shop"
    strange = replace(delivery(out(ANN, 1)), subject=subject)

    with pytest.raises(InvalidArgument):
        await Hearing(room.sessions).handle([strange])


async def test_announcements_are_heard_from_the_bus(room: Room, nats: tuple[Any, Any]) -> None:
    _, js = nats
    await three_phones(room)
    await jetstream.ensure_streams(js, subjects.TWOWAY)

    async def is_out_of_reach() -> bool:
        return await eligible(room) == 2

    async with hearing.consumer(js, room.sessions):
        await publisher.publish(js, out(ANN, 1), "shop", msg_id="1")
        await eventually(is_out_of_reach)


async def test_of_many_opt_outs_those_count_that_are_of_members(room: Room, database: Any) -> None:
    await database.execute(
        "INSERT INTO address_opt_out SELECT 'shop', '+1415' || n, 'default', true, now(), '' "
        "FROM generate_series(1000000, 1030000) n; "
        "INSERT INTO endpoint SELECT 'shop', 'e' || n, 1, '+1415' || n, '{}', '{}', '{}', '{}', '',"
        " 1, 1, '[]', now(), now(), 1 FROM generate_series(1020001, 1040000) n; "
        "ANALYZE"
    )

    assert await eligible(room) == 10_000


async def test_opt_outs_are_not_looked_up_one_by_one(
    room: Room, database: Any, reading: Any
) -> None:
    await database.execute(
        "INSERT INTO address_opt_out SELECT 'shop', '+1415' || n, 'default', true, now(), '' "
        "FROM generate_series(1000000, 1001000) n; "
        "INSERT INTO endpoint SELECT 'shop', 'e' || n, 1, '+1415' || n, '{}', '{}', '{}', '{}', '',"
        " 1, 1, '[]', now(), now(), 1 FROM generate_series(1000001, 1020000) n; "
        "ANALYZE"
    )
    await database.execute(
        "SELECT pg_stat_reset_single_table_counters('address_opt_out'::regclass)"
    )

    assert await eligible(room) == 19_000
    await reading.expire_connections()  # a connection that ends tells at once what it did
    assert await eligible(room) == 19_000

    async def looked_up() -> bool:
        scans = await database.fetchval(
            "SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables"
            " WHERE relname = 'address_opt_out'"
        )
        return 1 <= scans <= 10

    await eventually(looked_up)
