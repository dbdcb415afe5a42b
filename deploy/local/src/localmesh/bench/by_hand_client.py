"""Asking by hand: a statement through asyncpg, a cursor in pages, rows made into messages."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.segment_service_pb2 import MemberPage

from localmesh.bench.by_hand import Form
from localmesh.bench.million import PARENT
from localmesh.bench.rounds import stopwatch

PAGE_SIZE = 1_000


async def count(connection: Any, form: Form) -> tuple[int, int]:
    """Members, and those of them that can be reached."""
    async with connection.transaction(readonly=True):
        await connection.execute(form.settings)
        rows = await connection.fetch(form.sql)
    return sum(row[1] for row in rows), sum(row[2] for row in rows)


async def stream(connection: Any, form: Form) -> int:
    """How many members come, each page of them serialised."""
    members = 0
    async for rows in _pages(connection, form):
        page = MemberPage(endpoints=map(_endpoint, rows), last=rows[-1]["endpoint"])
        members += bool(page.SerializeToString()) * len(rows)
    return members


async def read(connection: Any, form: Form) -> int:
    """How many members come, nothing being made of them."""
    return sum([len(rows) async for rows in _pages(connection, form)])


async def _pages(connection: Any, form: Form) -> AsyncIterator[Any]:
    async with connection.transaction(readonly=True):
        await connection.execute(form.settings)
        cursor = await connection.cursor(form.sql)
        while rows := await cursor.fetch(PAGE_SIZE):
            yield rows


async def fastest(connection: Any, forms: Iterable[Form], ask: Any) -> Form:
    """The form that takes the least time."""
    taken = []
    for form in forms:
        with stopwatch() as asking:
            await ask(connection, form)
        taken.append((asking.seconds, form))
    return min(taken, key=lambda one: one[0])[1]


async def reads_json(connection: Any) -> None:
    """From now on the connection's JSON columns are values."""
    await connection.set_type_codec(
        "jsonb", encoder=str, decoder=orjson.loads, schema="pg_catalog", format="text"
    )


def _endpoint(row: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "name": f"{PARENT}/endpoints/{row['endpoint']}",
        "channel_type": row["channel_type"],
        "address": row["address"],
        "attributes": _values(row["attributes"]),
        "metrics": row["metrics"],
        "demographic": row["demographic"] or None,
        "location": row["location"] or None,
        "user": {"user_id": row["user_id"], "attributes": _values(row["user_attributes"] or {})},
        "opt_out": row["opt_out"],
        "status": row["status"],
        "refused_topics": row["refused_topics"],
        "create_time": _moment(row["create_time"]),
        "update_time": _moment(row["update_time"]),
        "etag": f'"{row["revision"]}"',
    }
    return Endpoint(**fields)


def _values(attributes: dict[str, list[str]]) -> dict[str, Any]:
    return {name: {"values": values} for name, values in attributes.items()}


@lru_cache(4096)
def _moment(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found
