"""Events per second ingested, against a raw ClickHouse insert of the same rows."""

import asyncio
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import StreamEventsRequest

from localmesh.bench.stage import PARENT, Stage, stopwatch

EVENTS = 100_000
BATCH_SIZE = 1_000
LIMIT = 0.25
TABLE = "events"
POLL_SECONDS = 0.1


async def measure(stage: Stage) -> None:
    """Stream events in, then insert the very rows that came of it, raw, through the same door.

    Ingested is what can be read, not only what was accepted.
    """
    batches = list(_batches())
    clickhouse = stage.mesh.description.clickhouse

    async def requests() -> AsyncIterator[StreamEventsRequest]:
        for batch in batches:
            yield batch

    with stopwatch() as ingesting:
        answer = await stage.client.events.StreamEvents(requests())
        assert answer.accepted_count == EVENTS, answer
        while _stored(clickhouse) < EVENTS:  # noqa: ASYNC110  # the engine tells nobody
            await asyncio.sleep(POLL_SECONDS)
    raw_rate = _raw_insert(clickhouse)
    stage.note(
        "raw ClickHouse insert of the same events", raw_rate, "events/s", process="clickhouse"
    )
    stage.note(
        "events ingested by StreamEvents",
        EVENTS / ingesting.seconds,
        "events/s",
        yardstick=raw_rate,
        limit=LIMIT,
        process="analytics",
    )


def _batches() -> "list[StreamEventsRequest]":
    now = datetime.now(UTC)
    batches = []
    for start in range(0, EVENTS, BATCH_SIZE):
        request = StreamEventsRequest(parent=PARENT)
        for serial in range(start, start + BATCH_SIZE):
            request.events.append(_event(serial, now))
        batches.append(request)
    return batches


def _event(serial: int, now: datetime) -> Event:
    event = Event(
        event_id=f"bench-{serial}",
        event_type="product.view",
        endpoint_id=f"e{serial % 5_000:06}",
        user_id=f"u{serial % 5_000:06}",
        attributes={"product": f"p{serial % 97}", "page": "home"},
        metrics={"price": float(serial % 300)},
    )
    event.event_time.FromDatetime(now)
    return event


def _raw_insert(url: str) -> float:
    """Events per second when the rows arrive as ClickHouse itself would write them."""
    _query(url, f"CREATE TABLE {TABLE}_copy AS {TABLE}")
    rows = _query(url, f"SELECT * FROM {TABLE} WHERE event_type = 'product.view' FORMAT Native")
    with stopwatch() as inserting:
        _query(url, f"INSERT INTO {TABLE}_copy FORMAT Native", rows)
    count = int(_query(url, f"SELECT count() FROM {TABLE}_copy FORMAT TabSeparated"))
    _query(url, f"DROP TABLE {TABLE}_copy")
    return count / inserting.seconds


def _stored(url: str) -> int:
    question = f"SELECT count() FROM {TABLE} WHERE event_type = 'product.view' FORMAT TabSeparated"
    return int(_query(url, question))


def _query(url: str, statement: str, body: bytes = b"") -> bytes:
    """Ask ClickHouse; its address names the database as a path, its protocol as an argument."""
    parts = urllib.parse.urlsplit(url)
    arguments = {"database": parts.path.strip("/"), "query": statement}
    target = f"{parts.scheme}://{parts.netloc}/?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(urllib.request.Request(target, data=body)) as answer:
        content: bytes = answer.read()
        return content
