"""The migrations make exactly what the tables say."""

from audience import tables
from audience.places import MIGRATIONS
from mesh.aip import operations, request_ids
from mesh.eventing import outbox
from mesh.store import migrate
from mesh.testkit.postgres import MigratedDatabase


async def test_the_migrations_make_what_the_tables_say(migrated_database: MigratedDatabase) -> None:
    database_url = await migrated_database(MIGRATIONS)

    await migrate.assert_matches(
        database_url,
        tables.metadata,
        operations.metadata,
        request_ids.metadata,
        outbox.metadata,
    )
