"""An index is built beside whoever is writing, and again after it was interrupted."""

import asyncio

import asyncpg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from mesh.store import engine, indexes
from mesh.testkit import eventually

VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'note_text_idx'::regclass"
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND now() - query_start > interval '0.3 s'
    AND datname = current_database()
"""


def create(connection) -> None:
    op = Operations(MigrationContext.configure(connection))
    indexes.create(op, "note_text_idx", "note (text)")


async def build(database: str) -> None:
    created = engine.create(database, lock_timeout_seconds=0.1, statement_timeout_seconds=30)
    async with created.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.run_sync(create)
    await created.dispose()


async def test_it_waits_for_writers_longer_than_for_a_lock(database: str) -> None:
    writer = await asyncpg.connect(database)
    await writer.execute("CREATE TABLE note (text text)")
    writing = writer.transaction()
    await writing.start()
    await writer.execute("INSERT INTO note VALUES ('a')")
    other = await asyncpg.connect(database)

    building = asyncio.create_task(build(database))
    await eventually(lambda: other.fetchval(WAITING))
    await other.execute("INSERT INTO note VALUES ('b')")
    await writing.commit()
    await building

    assert await other.fetchval(VALID)
    await other.close()
    await writer.close()


async def test_what_an_interrupted_migration_left_is_built_again(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE note (text text); INSERT INTO note VALUES ('a'), ('a')")
    try:
        await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY note_text_idx ON note (text)")
    except asyncpg.UniqueViolationError:
        assert not await connection.fetchval(VALID)

    await build(database)

    assert await connection.fetchval(VALID)
    await connection.close()
