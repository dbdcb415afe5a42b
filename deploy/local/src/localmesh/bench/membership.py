"""Whether one endpoint is a member of a segment, against fetching a row by its key.

Both go through the same pool to the database, one after the other: the room's own query, and a
select by the primary key. What the call costs from outside is told beside it.
"""

from collections.abc import Iterator
from itertools import count
from typing import Final

import asyncpg
from audience.segments import queries
from audience.segments.behaviours import Window
from heliograph.audience.v1 import segment_filter_pb2
from heliograph.audience.v1.segment_service_pb2 import CheckMembersRequest
from mesh.store import pool

from localmesh.bench.million import APPLICATION, COUNT, PARENT, endpoint_id
from localmesh.bench.rounds import Round, middle_of, stopwatch
from localmesh.bench.stage import Stage

ROUNDS: Final = 5
LIMIT: Final = 1 / 5
TESTS: Final = 400
STRIDE: Final = 7_919
"""A prime, so that the endpoints lie all over the table."""

_BY_KEY: Final = "SELECT endpoint FROM endpoint WHERE application = $1 AND endpoint = $2"


async def measure(stage: Stage, segment: str, question: segment_filter_pb2.SegmentFilter) -> None:
    """One endpoint after the other, each of them once."""
    serials = count()
    url = stage.mesh.description.databases["audience"]
    async with pool.create(url, max_size=1, reset=False) as reading:
        middle = await middle_of(ROUNDS, lambda _: _round(reading, question, serials))
    stage.note("rows selected by key", middle.yardstick, "endpoints/s", process="postgres")
    stage.note(
        "endpoints tested for membership, at the database",
        middle.rate,
        "endpoints/s",
        yardstick=middle.yardstick,
        limit=LIMIT,
    )
    with stopwatch() as asking:
        for _ in range(TESTS):
            name = f"{PARENT}/endpoints/{_endpoint(serials)}"
            await stage.client.segments.CheckMembers(
                CheckMembersRequest(name=segment, endpoints=[name])
            )
    stage.note("  CheckMembers", TESTS / asking.seconds, "calls/s", process="audience")


async def _round(
    reading: "asyncpg.Pool[asyncpg.Record]",
    question: segment_filter_pb2.SegmentFilter,
    serials: Iterator[int],
) -> Round:
    with stopwatch() as selecting:
        for _ in range(TESTS):
            await reading.fetchval(_BY_KEY, APPLICATION, _endpoint(serials))
    with stopwatch() as testing:
        for _ in range(TESTS):
            window = Window([_endpoint(serials)], {})
            await queries.members(reading, APPLICATION, question, window)
    return Round(TESTS / testing.seconds, TESTS / selecting.seconds)


def _endpoint(serials: Iterator[int]) -> str:
    return endpoint_id(next(serials) * STRIDE % COUNT)
