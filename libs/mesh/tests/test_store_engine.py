"""Sessions, raw connections, pools and their limits, on a real PostgreSQL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from mesh.embedded.postgres import PostgresServer
from mesh.store import engine, failures, notifications, pool, tables, urls
from mesh.testkit import eventually
from sqlalchemy import Column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

Sessions = async_sessionmaker[AsyncSession]


class _Table(SQLModel):
    metadata = tables.metadata()


class NoteRow(_Table, table=True):
    __tablename__ = "notes"
    id: int = Field(primary_key=True)
    words: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))


@pytest_asyncio.fixture
async def database_engine(database: str) -> AsyncIterator[AsyncEngine]:
    async_engine = engine.create(database)
    async with async_engine.begin() as connection:
        await connection.run_sync(_Table.metadata.create_all)
    yield async_engine
    await async_engine.dispose()


@pytest.fixture
def sessions(database_engine: AsyncEngine) -> Sessions:
    return engine.sessions(database_engine)


@pytest_asyncio.fixture
async def impatient(database: str, database_engine: AsyncEngine) -> AsyncIterator[Sessions]:
    """Sessions on the same tables that wait for nothing."""
    limited = engine.create(database, statement_timeout_seconds=2.0, lock_timeout_seconds=0.2)
    yield engine.sessions(limited)
    await limited.dispose()


async def test_rows_can_be_read_after_the_commit(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        row = NoteRow(id=1, words={"a": "é"})
        session.add(row)

    assert row.words == {"a": "é"}


async def test_a_failing_block_leaves_nothing(sessions: Sessions) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with sessions.begin() as session:
            session.add(NoteRow(id=1, words={}))
            raise ZeroDivisionError

    async with sessions() as session:
        assert (await session.exec(select(NoteRow))).all() == []


async def test_raw_statements_roll_back_with_the_session(sessions: Sessions) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with sessions.begin() as session:
            connection = await engine.raw(session)
            await connection.execute("INSERT INTO notes VALUES (1, '{}')")
            raise ZeroDivisionError

    async with sessions() as session:
        assert (await session.exec(select(NoteRow))).all() == []


async def test_raw_statements_see_the_sessions_rows_and_commit_with_it(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        session.add(NoteRow(id=1, words={"a": "b"}))
        connection = await engine.raw(session)
        seen = await connection.fetchval("SELECT words FROM notes")
        await connection.copy_records_to_table("notes", records=[(2, '{"c": "d"}')])

    async with sessions() as session:
        rows = (await session.exec(select(NoteRow).order_by("id"))).all()
    assert seen == {"a": "b"}
    assert [row.words for row in rows] == [{"a": "b"}, {"c": "d"}]


async def test_a_slow_statement_is_cut_off(impatient: Sessions) -> None:
    with pytest.raises(DBAPIError, match="statement timeout") as caught:
        async with impatient.begin() as session:
            await session.exec(text("SELECT pg_sleep(60)"))

    assert failures.is_transient(caught.value)


async def test_waiting_for_a_lock_is_cut_off(sessions: Sessions, impatient: Sessions) -> None:
    async with sessions.begin() as holder:
        await holder.exec(text("LOCK TABLE notes"))
        with pytest.raises(DBAPIError, match="lock timeout") as caught:
            async with impatient.begin() as session:
                await session.exec(text("LOCK TABLE notes"))

    assert failures.is_transient(caught.value)


async def test_a_violated_constraint_is_not_transient(sessions: Sessions) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with sessions.begin() as session:
            session.add_all([NoteRow(id=1, words={}), NoteRow(id=1, words={})])

    assert not failures.is_transient(caught.value)


async def test_a_connection_killed_in_the_pool_costs_no_later_session(
    database: str, sessions: Sessions
) -> None:
    async with sessions() as session:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
        driver = await engine.raw(session)
    admin = await asyncpg.connect(database)
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    await admin.close()
    await eventually(driver.is_closed)

    async with sessions() as session:
        assert await session.scalar(text("SELECT 1")) == 1


def test_a_connection_killed_as_it_is_taken_is_transient() -> None:
    told = Exception("InternalClientError: cannot switch to state 15")
    told.__cause__ = asyncpg.InternalClientError("cannot switch to state 15")

    assert failures.is_transient(DBAPIError("SELECT 1", None, told))


async def test_a_connection_killed_in_use_is_transient(sessions: Sessions) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with sessions.begin() as session:
            await session.exec(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert failures.is_transient(caught.value)


async def test_a_refused_connection_is_transient() -> None:
    with pytest.raises(OSError, match=r"refused|Connect") as caught:
        await asyncpg.connect("postgresql://nobody@127.0.0.1:1/none")

    assert failures.is_transient(caught.value)


async def test_a_pool_copies_thousands_of_rows(database: str) -> None:
    async with pool.create(database, max_size=2) as rows, rows.acquire() as connection:
        await connection.execute("CREATE TABLE numbers (n bigint, doc jsonb)")
        await connection.copy_records_to_table(
            "numbers", records=[(n, f'{{"n": {n}}}') for n in range(5000)]
        )
        total = await connection.fetchval("SELECT sum((doc->>'n')::int) FROM numbers")
        documents = await connection.fetch("SELECT doc FROM numbers WHERE n = ANY($1)", [7, 8])
        echoed = await connection.fetchval("SELECT $1::jsonb", '["é"]')

    assert total == sum(range(5000))
    assert [row["doc"] for row in documents] == [{"n": 7}, {"n": 8}]
    assert echoed == ["é"]


async def test_a_pool_limits_its_statements(database: str) -> None:
    async with pool.create(database, statement_timeout_seconds=1.0) as rows:
        with pytest.raises(asyncpg.QueryCanceledError):
            await rows.execute("SELECT pg_sleep(60)")


def test_urls_with_a_socket_folder_keep_it() -> None:
    url = urls.for_sqlalchemy("postgresql://me@/events?host=/run/sockets&port=5433")

    assert url.drivername == "postgresql+asyncpg"
    assert url.query["host"] == "/run/sockets"
    assert url.database == "events"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_urls_of_every_scheme_are_understood(scheme: str) -> None:
    url = urls.for_sqlalchemy(f"{scheme}://me:p%40ss@db:5433/events")

    assert url.render_as_string(hide_password=False) == (
        "postgresql+asyncpg://me:p%40ss@db:5433/events"
    )


async def test_a_socket_folder_is_connected_to(postgres_server: PostgresServer) -> None:
    # The test server has no socket; the error shows which way was tried.
    async_engine = engine.create("postgresql://postgres@/postgres?host=/nowhere&port=5432")
    with pytest.raises(OSError, match=r"nowhere|No such file"):
        async with async_engine.connect():
            pass
    await async_engine.dispose()


async def test_a_listener_hears_notifications_and_connects_again(database: str) -> None:
    admin = await asyncpg.connect(database)
    async with notifications.Listener(database, "news") as listener:
        await listener.wait(0.0)
        waiting = asyncio.create_task(listener.wait(60.0))
        await admin.execute("NOTIFY news")
        assert await waiting

        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        # It wakes when it is connected again, since it may have missed something.
        await eventually(lambda: listener.wait(0.1))
        await admin.execute("NOTIFY news")
        assert await listener.wait(60.0)
    await admin.close()


async def test_a_listener_tells_on_which_channels_it_heard_something(database: str) -> None:
    admin = await asyncpg.connect(database)
    async with notifications.Listener(database, "news", "weather") as listener:
        # Before it listened, there may have been something on each.
        assert listener.heard() == {"news", "weather"}
        await listener.wait(60.0)

        await admin.execute("NOTIFY weather")
        assert await listener.wait(60.0)

        assert listener.heard() == {"weather"}
        assert listener.heard() == set()
    await admin.close()
