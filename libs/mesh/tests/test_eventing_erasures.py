"""A deleted application is let in no more, and what it has goes: once, whole, whoever dies."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from google.protobuf.struct_pb2 import Struct
from mesh.eventing import dead_letters, jetstream
from mesh.eventing import erasures as module
from mesh.eventing.erasures import Erasures
from mesh.store import engine, erasing, tombstones
from mesh.store.erasing import Rows
from mesh.store.purging import ROWS_MAX
from mesh.store.tombstones import Sessions, TombstoneRow, Tombstones
from mesh.testkit import eventually
from sqlalchemy import text

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPERATION = "applications/shop/operations/o1"
ROWS = [Rows("page"), Rows("note"), Rows("book")]

TABLES = (
    "CREATE TABLE book (application text, id int, PRIMARY KEY (application, id))",
    "CREATE TABLE page (application text, book int, FOREIGN KEY (application, book)"
    " REFERENCES book (application, id))",
    "CREATE TABLE note (application text, day int) PARTITION BY LIST (day)",
    "CREATE TABLE note_1 PARTITION OF note FOR VALUES IN (1)",
    "CREATE TABLE note_2 PARTITION OF note FOR VALUES IN (2)",
)


@pytest_asyncio.fixture
async def sessions(database: str) -> AsyncIterator[Sessions]:
    """Sessions on a database with three tables, one of them in partitions."""
    created = engine.create(database, pool_size=8)
    async with created.begin() as connection:
        await connection.run_sync(tombstones.metadata.create_all)
        for statement in TABLES:
            await connection.execute(text(statement))
    yield engine.sessions(created)
    await created.dispose()


async def run(sessions: Sessions, statement: str, **values: Any) -> Any:
    """The first value of a statement."""
    async with sessions.begin() as session:
        done = await (await session.connection()).execute(text(statement), values)
        return done.scalar() if done.returns_rows else None


async def fill(sessions: Sessions, application: str, count: int) -> None:
    """So many rows in each table, and in each partition."""
    series = "generate_series(1, :count) AS i"
    for insert in (
        f"INSERT INTO book SELECT :application, i FROM {series}",
        f"INSERT INTO page SELECT :application, i FROM {series}",
        f"INSERT INTO note SELECT :application, day FROM {series}, (VALUES (1), (2)) AS d (day)",
    ):
        await run(sessions, insert, application=application, count=count)


async def left(sessions: Sessions, application: str) -> int:
    """Rows that an application still has."""
    tables = " UNION ALL ".join(f"SELECT application FROM {one.table}" for one in ROWS)
    count = f"SELECT count(*) FROM ({tables}) AS t WHERE application = :application"
    return await run(sessions, count, application=application)


async def bury(sessions: Sessions, application: str = "shop") -> None:
    async with sessions.begin() as session:
        await tombstones.bury(session, application, OPERATION, NOW, datetime.now(UTC))


async def stone(sessions: Sessions) -> TombstoneRow:
    async with sessions() as session:
        found = await tombstones.find(session, "shop")
    assert found is not None
    return found


def report(**fields: Any) -> Struct:
    """A report as some message."""
    told = Struct()
    told.update({"service": fields["service"], "rows": dict(fields["erased_rows"])})
    return told


async def begun(sessions: Sessions, js: Any, **options: Any) -> Erasures:
    gone = Tombstones(sessions)
    settings = {"settle_seconds": 0.0, **options}
    return Erasures(sessions, js, gone, ROWS, report, "books", **settings)


async def reports(js: Any) -> list[Struct]:
    info = await js.stream_info("WORDS")
    found = [await js.get_msg("WORDS", seq + 1) for seq in range(info.state.messages)]
    return [Struct.FromString(one.data) for one in found]


async def test_everything_of_one_application_goes_and_is_counted(
    sessions: Sessions, js: Any
) -> None:
    count = ROWS_MAX + 1
    await fill(sessions, "shop", count)
    await fill(sessions, "other", 3)
    erasing_ = await begun(sessions, js)
    await bury(sessions)

    await erasing_.step()

    (told,) = await reports(js)
    assert (await left(sessions, "shop"), await left(sessions, "other")) == (0, 12)
    assert dict(told["rows"]) == {"page": count, "note": 2 * count, "book": count}
    assert (await stone(sessions)).erase_time is not None


async def test_an_erasure_that_broke_off_goes_on_and_counts_nothing_twice(
    sessions: Sessions, js: Any
) -> None:
    await fill(sessions, "shop", 5)
    broken = [True]

    async def away(application: str) -> int:
        if broken:
            raise ConnectionError("away")
        return 0

    erasing_ = await begun(sessions, js, after=[away])
    await bury(sessions)
    await erasing_.step()
    assert (await reports(js), (await stone(sessions)).announce_time) == ([], None)

    broken.clear()
    await erasing_.step()

    (told,) = await reports(js)
    assert dict(told["rows"]) == {"page": 5, "note": 10, "book": 5}


async def test_two_replicas_at_once_count_each_row_once(sessions: Sessions, js: Any) -> None:
    await fill(sessions, "shop", 2 * ROWS_MAX)
    first = await begun(sessions, js)
    second = Erasures(sessions, js, Tombstones(sessions), ROWS, report, "books", settle_seconds=0.0)
    await bury(sessions)

    await asyncio.gather(first.step(), second.step())

    rows = (await stone(sessions)).erased_rows
    assert (await left(sessions, "shop"), rows["book"], rows["note"]) == (
        0,
        2 * ROWS_MAX,
        4 * ROWS_MAX,
    )


async def test_what_comes_in_until_every_replica_knows_is_erased_before_it_is_told(
    sessions: Sessions, js: Any
) -> None:
    passes, is_filled = iter(range(9)), asyncio.Event()

    async def hold_the_second(application: str) -> int:
        if next(passes) > 0:
            await is_filled.wait()
        return 0

    erasing_ = await begun(sessions, js, before=[hold_the_second], settle_seconds=1.0)
    await bury(sessions)

    step = asyncio.create_task(erasing_.step())
    await fill(sessions, "shop", 1)
    assert await reports(js) == []
    is_filled.set()
    await step

    (told,) = await reports(js)
    assert (await left(sessions, "shop"), told["rows"]["book"]) == (0, 1)


async def test_what_comes_in_later_is_swept(sessions: Sessions, js: Any) -> None:
    erasing_ = await begun(sessions, js)
    await bury(sessions)
    await erasing_.wake()
    await erasing_.step()

    await fill(sessions, "shop", 1)
    await erasing_.sweep()

    assert await left(sessions, "shop") == 0


async def test_whoever_hears_again_answers_again(sessions: Sessions, js: Any) -> None:
    erasing_ = await begun(sessions, js)
    for _ in range(2):
        await bury(sessions)
        await erasing_.step()
        await erasing_.step()

    assert len(await reports(js)) == 2


async def test_every_replica_learns_who_is_gone(sessions: Sessions) -> None:
    gone = Tombstones(sessions, refresh_seconds=0.01)
    running = asyncio.create_task(gone.run())
    assert "shop" not in gone

    await bury(sessions)

    await eventually(lambda: "shop" in gone and len(gone) == 1)
    running.cancel()
    await asyncio.wait([running])


async def test_the_loop_works_on_what_it_is_woken_for(sessions: Sessions, js: Any) -> None:
    await fill(sessions, "shop", 1)
    erasing_ = await begun(sessions, js)
    running = asyncio.create_task(erasing_.run())
    await bury(sessions)
    await erasing_.wake()

    async def is_told() -> bool:
        return bool(await reports(js))

    await eventually(is_told)
    running.cancel()
    await asyncio.wait([running])


async def test_streams_and_dead_letters_keep_nothing_of_it(sessions: Sessions, js: Any) -> None:
    await jetstream.ensure_stream(js, "NOTES", ["notes.>"])
    erasing_ = await begun(sessions, js, kept=[("NOTES", "notes.*.>")])
    await dead_letters.ensure_stream(js)
    for application in ("shop", "other"):
        await js.publish(f"notes.{application}.a", b"")
        await js.publish(f"dead.notes.{application}.a", b"")
    await bury(sessions)

    await erasing_.step()

    for stream, subject in (("NOTES", "notes.other.a"), ("DEAD_LETTERS", "dead.notes.other.a")):
        info = await js.stream_info(stream, subjects_filter=">")
        assert list(info.state.subjects) == [subject]


def test_tables_are_erased_before_those_they_refer_to() -> None:
    import sqlalchemy as sa

    metadata = sa.MetaData()
    sa.Table("book", metadata, sa.Column("application", sa.String, primary_key=True))
    sa.Table("page", metadata, sa.Column("application", sa.ForeignKey("book.application")))
    sa.Table("clock", metadata, sa.Column("id", sa.Integer))

    found = erasing.rows_of(metadata, tombstones.metadata)

    assert [one.table for one in found] == ["page", "book"]
    assert module.SETTLE_SECONDS > tombstones.REFRESH_SECONDS
