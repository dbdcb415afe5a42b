"""The schemas that the migrations make."""

from pathlib import Path

import analytics
from analytics import tables
from analytics.eventstore import migrate
from analytics.eventstore.client import EventStore
from mesh.aip import operations, request_ids
from mesh.store import orders, tombstones
from mesh.store.migrate import assert_matches

MIGRATIONS = Path(analytics.__file__).parent / "migrations"


async def test_the_migrations_make_what_the_tables_say(migrated_database) -> None:
    database_url = await migrated_database(MIGRATIONS)

    await assert_matches(
        database_url,
        tables.metadata,
        operations.metadata,
        request_ids.metadata,
        tombstones.metadata,
        orders.metadata,
    )


async def test_the_event_store_is_migrated_once(clickhouse_server) -> None:
    async with EventStore(clickhouse_server.url_for("migrated")) as store:
        first = await migrate.migrate(store)
        second = await migrate.migrate(store)

        assert [name[:4] for name in first] == [number_of(entry) for entry in migrate.migrations()]
        assert second == []


async def test_a_migration_that_was_interrupted_goes_on(clickhouse_server) -> None:
    async with EventStore(clickhouse_server.url_for("interrupted")) as store:
        await store.create_database()
        _, _, text = next(iter(migrate.migrations()))
        await store.command(migrate.statements(text)[0])

        assert await migrate.migrate(store)


def number_of(entry: tuple[int, str, str]) -> str:
    return f"{entry[0]:04}"
