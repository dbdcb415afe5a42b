"""Migrations under a lock, and the check that they make what the tables say."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from mesh.eventing import inbox, outbox
from mesh.store import migrate, tables
from mesh.testkit.postgres import MigratedDatabase
from sqlmodel import Field, SQLModel

MIGRATIONS = Path(__file__).parent / "store_migrations"


async def _version(database: str) -> str:
    connection = await asyncpg.connect(database)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


async def test_migrations_make_exactly_what_the_tables_say(database: str) -> None:
    await migrate.upgrade(database, MIGRATIONS)

    await migrate.assert_matches(database, outbox.metadata, inbox.metadata)


async def test_a_database_can_be_migrated_to_a_given_revision(database: str) -> None:
    await migrate.upgrade(database, MIGRATIONS, to="0001")

    assert await _version(database) == "0001"


async def test_replicas_that_start_together_migrate_once(database: str) -> None:
    await asyncio.gather(*(migrate.upgrade(database, MIGRATIONS) for _ in range(4)))

    assert await _version(database) == "0002"


async def test_migrating_again_changes_nothing(database: str) -> None:
    await migrate.upgrade(database, str(MIGRATIONS))
    await migrate.upgrade(database, str(MIGRATIONS))

    await migrate.assert_matches(database, outbox.metadata, inbox.metadata)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE inbox ADD extra text", r"\+inbox\.extra text"),
        ("ALTER TABLE inbox DROP receive_time", r"-inbox\.receive_time"),
        ("ALTER TABLE outbox ALTER subject DROP NOT NULL", r"\+outbox\.subject text default none"),
        ("ALTER TABLE outbox ALTER create_time DROP DEFAULT", r"\+outbox\.create_time.*none"),
        ("ALTER TABLE outbox ALTER subject TYPE varchar(9)", r"\+outbox\.subject character"),
        ("ALTER TABLE outbox ADD CHECK (id > 0)", r"\+outbox constraint outbox_id_check"),
        ("CREATE INDEX ON outbox (subject)", r"\+outbox index CREATE INDEX outbox_subject_idx"),
        ("DROP TRIGGER outbox_notify ON outbox", r"-outbox trigger"),
        ("CREATE TABLE stray ()", r"\+stray is a table"),
        ("CREATE TYPE colour AS ENUM ('red')", r"\+enum colour red"),
    ],
)
async def test_every_difference_is_told(
    migrated_database: MigratedDatabase, change: str, told: str
) -> None:
    database = await migrated_database(MIGRATIONS)
    connection = await asyncpg.connect(database)
    await connection.execute(change)
    await connection.close()

    with pytest.raises(AssertionError, match=told):
        await migrate.assert_matches(database, outbox.metadata, inbox.metadata)


async def test_a_table_without_a_migration_is_told(migrated_database: MigratedDatabase) -> None:
    class _Table(SQLModel):
        metadata = tables.metadata()

    class ForgottenRow(_Table, table=True):
        __tablename__ = "forgotten"
        id: int = Field(primary_key=True)

    database = await migrated_database(MIGRATIONS)

    with pytest.raises(AssertionError, match="-forgotten is a table"):
        await migrate.assert_matches(
            database, outbox.metadata, inbox.metadata, ForgottenRow.metadata
        )


async def test_partitions_do_not_count_as_differences(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE days (day date) PARTITION BY RANGE (day)")
    before = await migrate.describe(database)
    await connection.execute(
        "CREATE TABLE day_one PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-01-02')"
    )
    after = await migrate.describe(database)
    await connection.close()

    assert before == after


async def test_the_alembic_command_works_with_the_same_environment(
    migrated_database: MigratedDatabase,
) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", await migrated_database(MIGRATIONS))

    await asyncio.to_thread(command.check, config)
