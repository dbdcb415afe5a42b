"""Segments of five conditions over a million endpoints, against the best SQL written by hand.

Counted: `CountSegment` against the statement that gives the same numbers. Streamed: `StreamMembers`
against a cursor whose rows are made into the same messages and serialised, 1,000 a page, in the
bench's own process. Each is compared twice: by the clock, and by what PostgreSQL computes, which is
what the SQL costs whatever stands around it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import (
    CountSegmentRequest,
    CreateSegmentRequest,
    StreamMembersRequest,
)
from heliograph.client import Client

from localmesh.bench import by_hand_client, membership, processes
from localmesh.bench.by_hand import QUESTIONS, Question
from localmesh.bench.million import COUNT, PARENT, a_million
from localmesh.bench.rounds import Round, middle, stopwatch
from localmesh.bench.stage import Stage

ROUNDS: Final = 3
LIMIT: Final = round(1 / 1.2, 2)


@dataclass(frozen=True)
class Compared:
    """Two ways to the same answer, which is about so many endpoints."""

    name: str
    rpc: str
    size: int
    ours: Callable[[], Awaitable[Any]]
    by_hand: Callable[[], Awaitable[Any]]


async def measure(stage: Stage) -> None:
    """Count and stream in rounds, ours and by hand after each other; then ask about single ones."""
    async with a_million(stage) as connection:
        await by_hand_client.reads_json(connection)
        for number, question in enumerate(QUESTIONS):
            segment = f"{PARENT}/segments/s{number}"
            await _create(stage.client, segment, question)
            for compared in await _compared(stage.client, connection, segment, question):
                await _compare(stage, compared)
        await membership.measure(stage, segment, question.filter)


async def _create(client: Client, segment: str, question: Question) -> None:
    await client.segments.CreateSegment(
        CreateSegmentRequest(
            parent=PARENT,
            segment_id=segment.rpartition("/")[2],
            segment=Segment(filter=question.filter),
        )
    )


async def _compared(
    client: Client, connection: Any, segment: str, question: Question
) -> list[Compared]:
    counting = await by_hand_client.fastest(connection, question.counts(), by_hand_client.count)
    streaming = await by_hand_client.fastest(connection, question.streams(), by_hand_client.read)
    members, _ = await by_hand_client.count(connection, counting)
    return [
        Compared(
            f"{question.name}, counted by hand",
            "CountSegment",
            COUNT,
            partial(_count, client, segment),
            partial(by_hand_client.count, connection, counting),
        ),
        Compared(
            f"{question.name}, streamed by hand",
            "StreamMembers",
            members,
            partial(_stream, client, segment),
            partial(by_hand_client.stream, connection, streaming),
        ),
    ]


async def _count(client: Client, segment: str) -> tuple[int, int]:
    found = await client.segments.CountSegment(CountSegmentRequest(name=segment))
    return found.total, found.eligible


async def _stream(client: Client, segment: str) -> int:
    request = StreamMembersRequest(name=segment, page_size=by_hand_client.PAGE_SIZE)
    return sum([len(page.endpoints) async for page in client.segments.StreamMembers(request)])


async def _compare(stage: Stage, compared: Compared) -> None:
    by_clock, by_database = [], []
    for _ in range(ROUNDS):
        expected, hand_seconds, hand_computing = await _spent(stage, compared.by_hand)
        found, seconds, computing = await _spent(stage, compared.ours)
        assert found == expected, (compared.name, found, expected)
        size = compared.size
        by_clock.append(Round(size / seconds, size / hand_seconds))
        by_database.append(Round(size / computing, size / hand_computing))
    clock, database = middle(by_clock), middle(by_database)
    stage.note(compared.name, clock.yardstick, "endpoints/s", process="postgres")
    for name, taken, process in (
        (f"  {compared.rpc}", clock, "audience"),
        ("  for each second of PostgreSQL", database, ""),
    ):
        stage.note(
            name,
            taken.rate,
            "endpoints/s",
            yardstick=taken.yardstick,
            limit=LIMIT,
            process=process,
        )


async def _spent(stage: Stage, ask: Callable[[], Awaitable[Any]]) -> tuple[Any, float, float]:
    """An answer, the seconds it took, and those that PostgreSQL computed for it."""
    postgres = stage.pids["postgres"]
    before = processes.cpu_seconds(postgres)
    with stopwatch() as asking:
        found = await ask()
    return found, asking.seconds, processes.cpu_seconds(postgres) - before
