"""Work beside its operation: it waits in order, and goes with the operation's end."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from google.protobuf.struct_pb2 import Struct
from mesh.aip import operations, works
from mesh.errors import Unavailable
from mesh.rpc import status
from mesh.store import engine, tables
from mesh.store.tombstones import Sessions
from sqlalchemy import Column, DateTime
from sqlmodel import Field, SQLModel

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
metadata = tables.metadata()


class DigRow(SQLModel, table=True):
    """Somebody digs."""

    __tablename__ = "dig"
    metadata = metadata

    application: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    create_time: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


@pytest_asyncio.fixture
async def sessions(database: str) -> AsyncIterator[Sessions]:
    """Sessions on a database with work in it."""
    created = engine.create(database)
    async with created.begin() as connection:
        await connection.run_sync(operations.metadata.create_all)
        await connection.run_sync(metadata.create_all)
    yield engine.sessions(created)
    await created.dispose()


async def dig(sessions: Sessions, hours: int = 0) -> DigRow:
    async with sessions.begin() as session:
        operation = await operations.create(session, "shop", Struct())
        time = NOON + timedelta(hours=hours)
        row = DigRow(application="shop", operation=operation.id, create_time=time)
        session.add(row)
    return row


async def ended(sessions: Sessions, row: DigRow) -> Any:
    """The operation, once its work is gone."""
    async with sessions() as session:
        assert await session.get(DigRow, (row.application, row.operation)) is None
        return operations.render(await operations.get(session, works.name(row)))


async def test_what_waits_is_found_oldest_first(sessions: Sessions) -> None:
    second, first, _ = [await dig(sessions, hours) for hours in (2, 1, 3)]

    async with sessions() as session:
        found = await works.waiting(session, DigRow, 2)

    assert found == [("shop", first.operation), ("shop", second.operation)]


async def test_work_ends_with_its_operation(sessions: Sessions) -> None:
    done, failed = [await dig(sessions) for _ in range(2)]
    async with sessions.begin() as session:
        assert await works.move_on(session, done, Struct(), "dig")
        await works.succeed(session, done, Struct())
        await works.fail(session, failed, Unavailable("ROCK", "there is a rock"))

    assert (await ended(sessions, done)).HasField("response")
    assert status.to_error((await ended(sessions, failed)).error).reason == "ROCK"


async def test_work_that_somebody_stopped_ends_where_it_is(sessions: Sessions) -> None:
    row = await dig(sessions)
    async with sessions.begin() as session:
        operation = await operations.get(session, works.name(row), lock=True)
        operation.cancel_requested = True

    async with sessions.begin() as session:
        assert not await works.move_on(session, row, Struct(), "dig")

    assert status.to_error((await ended(sessions, row)).error).reason == "DIG_CANCELLED"
