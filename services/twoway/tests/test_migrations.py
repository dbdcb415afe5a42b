"""The history of migrations ends where the tables begin."""

from pathlib import Path

import twoway
from mesh.aip import operations, request_ids
from mesh.eventing import outbox
from mesh.store import migrate, orders, tombstones
from mesh.testkit.postgres import MigratedDatabase
from twoway import tables
from twoway.alarms import tables as alarms
from twoway.conversations import tables as conversations
from twoway.exports import tables as exports
from twoway.imports import tables as imports
from twoway.keywords import tables as keywords
from twoway.webhooks import tables as webhooks

MIGRATIONS = Path(twoway.__file__).parent / "migrations"


async def test_migrating_gives_exactly_the_tables(migrated_database: MigratedDatabase) -> None:
    database_url = await migrated_database(MIGRATIONS)

    await migrate.assert_matches(
        database_url,
        tables.metadata,
        alarms.metadata,
        conversations.metadata,
        exports.metadata,
        imports.metadata,
        keywords.metadata,
        webhooks.metadata,
        outbox.metadata,
        operations.metadata,
        request_ids.indexed_metadata,
        tombstones.metadata,
        orders.metadata,
    )
