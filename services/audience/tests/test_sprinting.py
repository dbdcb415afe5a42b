"""Members that are few are read by one statement, which no slow reader can hold for long."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import asyncpg
import pytest
from audience.segments import scanning
from audience.segments.sprinting import Sprint
from audience_room import Room
from audience_segments import GOLD
from google.protobuf.json_format import ParseDict
from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.testkit.waiting import eventually

GOLDEN = ParseDict(GOLD, pb.SegmentFilter())
FEW = [f"e{index:03}" for index in range(0, 400, 40)]


async def numbers(closed: list[bool]) -> AsyncGenerator[int, None]:
    try:
        for number in range(10):
            yield number
    finally:
        closed.append(True)


async def few_among_many(room: Room, reading: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Ten of four hundred endpoints are gold."""
    await room.create_application("many")
    await reading.execute(
        "INSERT INTO endpoint SELECT 'many', 'e' || lpad(i::text, 3, '0'), 3, 't' || i,"
        " CASE WHEN i % 40 = 0 THEN '{\"plan\": [\"gold\"]}'::jsonb ELSE '{}' END,"
        " '{}', '{}', '{}', '', 1, 1, '[]', now(), now(), 1 FROM generate_series(0, 399) AS i"
    )


def scan(
    reading: "asyncpg.Pool[asyncpg.Record]", seconds_max: float, places: int = 1
) -> scanning.Scan:
    sprints = asyncio.Semaphore(places)
    return scanning.Scan(
        *(reading, "many", GOLDEN, None, sprints), sprint_seconds_max=seconds_max, looked_at_max=100
    )


@pytest.mark.parametrize(("seconds_max", "places"), [(0.0, 1), (60.0, 1), (60.0, 0)])
async def test_all_members_come_in_full_pages_however_soon_a_sprint_ends(
    seconds_max: float,
    places: int,
    room: Room,
    reading: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    await few_among_many(room, reading)

    for size in (3, 4, 10, 11):
        pages = scan(reading, seconds_max, places).pages("", size)
        found = [[row[0] for row in rows] async for rows in pages]
        assert found == [FEW[begin : begin + size] for begin in range(0, len(FEW), size)]


async def test_a_reader_that_stops_to_think_holds_no_connection(
    room: Room, reading: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    await few_among_many(room, reading)
    async with aclosing(scan(reading, 0.1).pages("", 3)) as pages:
        first, second = [[row[0] for row in await anext(pages)] for _ in range(2)]

        await eventually(lambda: reading.get_idle_size() == reading.get_size())

        rest = [row[0] async for rows in pages for row in rows]
    assert first + second + rest == FEW


async def test_a_reader_that_goes_away_closes_what_was_read() -> None:
    closed: list[bool] = []
    async with aclosing(Sprint(numbers(closed), 60.0).parts()) as parts:
        assert await anext(parts) == 0
    assert closed


async def test_a_source_that_fails_fails_its_reader_after_what_it_gave() -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise OSError("away")

    parts = Sprint(failing(), 60.0).parts()
    assert await anext(parts) == 1
    with pytest.raises(OSError, match="away"):
        await anext(parts)


async def test_a_sprint_ends_at_its_time_though_nobody_reads() -> None:
    closed: list[bool] = []
    sprint = Sprint(numbers(closed), 0.01)
    parts = sprint.parts()
    taken = [await anext(parts)]
    await eventually(lambda: closed)

    taken += [part async for part in parts]
    assert taken == [*range(len(taken))]
    assert not sprint.is_whole
