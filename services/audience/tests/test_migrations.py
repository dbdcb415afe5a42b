"""The migrations make exactly what the tables say."""

from audience import tables
from mesh.aip import operations, request_ids
from mesh.eventing import outbox
from mesh.store import migrate, orders, tombstones


async def test_the_migrations_make_what_the_tables_say(database_url: str) -> None:
    await migrate.assert_matches(
        database_url,
        tables.metadata,
        operations.metadata,
        request_ids.indexed_metadata,
        outbox.metadata,
        tombstones.metadata,
        orders.metadata,
    )
