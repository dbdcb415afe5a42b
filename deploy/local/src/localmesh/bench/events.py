"""Events per second ingested, against a raw ClickHouse insert of the same rows.

The yardstick inserts the very rows that the ingestion made through the same HTTP door, in inserts
as large as analytics makes them, in ClickHouse's own columnar form, into a table with the same
engine, sorting and indexes. Ingested is what can be read, not only what was accepted.
"""

import asyncio
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import StreamEventsRequest

from localmesh.bench.costs import Costs
from localmesh.bench.rounds import Round, middle_of, stopwatch
from localmesh.bench.stage import PARENT, Stage

EVENTS = 100_000
REQUEST_SIZE = 1_000
INSERT_SIZE = 20_000
LIMIT = 0.25
ROUNDS = 3
TABLE = "events"
POLL_SECONDS = 0.05


async def measure(stage: Stage) -> None:
    """Stream events in, then insert what came of it, raw; each round has a type of its own."""

    costs = Costs(stage.pids)

    async def one(number: int) -> Round:
        event_type = f"bench.round{number}"
        with costs.paying(EVENTS):
            rate = EVENTS / await _ingestion_seconds(stage, event_type)
        clickhouse = stage.mesh.description.clickhouse
        return Round(rate, EVENTS / await asyncio.to_thread(_raw_seconds, clickhouse, event_type))

    middle = await middle_of(ROUNDS, one)
    stage.note(
        "raw ClickHouse insert of the same rows",
        middle.yardstick,
        "events/s",
        process="clickhouse",
    )
    stage.note(
        "events ingested by StreamEvents",
        middle.rate,
        "events/s",
        yardstick=middle.yardstick,
        limit=LIMIT,
        process="analytics",
    )
    stage.note_costs(costs, "event")


async def _ingestion_seconds(stage: Stage, event_type: str) -> float:
    requests = _requests(event_type)

    async def stream() -> AsyncIterator[StreamEventsRequest]:
        for request in requests:
            yield request

    with stopwatch() as ingesting:
        answer = await stage.client.events.StreamEvents(stream())
        assert answer.accepted_count == EVENTS, answer
        while _stored(stage.mesh.description.clickhouse, event_type) < EVENTS:  # noqa: ASYNC110  # the engine tells nobody
            await asyncio.sleep(POLL_SECONDS)
    return ingesting.seconds


def _requests(event_type: str) -> list[StreamEventsRequest]:
    now = datetime.now(UTC)
    return [
        StreamEventsRequest(
            parent=PARENT,
            events=[
                _event(event_type, serial, now) for serial in range(start, start + REQUEST_SIZE)
            ],
        )
        for start in range(0, EVENTS, REQUEST_SIZE)
    ]


def _event(event_type: str, serial: int, now: datetime) -> Event:
    event = Event(
        event_id=f"{event_type}-{serial}",
        event_type=event_type,
        endpoint_id=f"e{serial % 5_000:06}",
        user_id=f"u{serial % 5_000:06}",
        attributes={"product": f"p{serial % 97}", "page": "home"},
        metrics={"price": float(serial % 300)},
    )
    event.event_time.FromDatetime(now)
    return event


def _raw_seconds(url: str, event_type: str) -> float:
    _query(url, f"CREATE TABLE {TABLE}_copy AS {TABLE}")
    pieces = [
        _query(
            url,
            f"SELECT * FROM {TABLE} WHERE event_type = '{event_type}' ORDER BY event_id "
            f"LIMIT {INSERT_SIZE} OFFSET {offset} FORMAT Native",
        )
        for offset in range(0, EVENTS, INSERT_SIZE)
    ]
    with stopwatch() as inserting:
        for piece in pieces:
            _query(url, f"INSERT INTO {TABLE}_copy FORMAT Native", piece)
    count = int(_query(url, f"SELECT count() FROM {TABLE}_copy FORMAT TabSeparated"))
    assert count == EVENTS, count
    _query(url, f"DROP TABLE {TABLE}_copy")
    return inserting.seconds


def _stored(url: str, event_type: str) -> int:
    question = f"SELECT count() FROM {TABLE} WHERE event_type = '{event_type}' FORMAT TabSeparated"
    return int(_query(url, question))


def _query(url: str, statement: str, body: bytes = b"") -> bytes:
    """Ask ClickHouse; its address names the database as a path, its protocol as an argument."""
    parts = urllib.parse.urlsplit(url)
    arguments = {"database": parts.path.strip("/"), "query": statement}
    target = f"{parts.scheme}://{parts.netloc}/?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(urllib.request.Request(target, data=body)) as answer:
        content: bytes = answer.read()
        return content
