from pathlib import Path

import campaign
from campaign import tables
from mesh.aip import request_ids
from mesh.eventing import outbox
from mesh.store import migrate, orders, tombstones


async def test_migrating_an_empty_database_gives_what_the_tables_say(migrated_database):
    url = await migrated_database(Path(campaign.__file__).parent / "migrations")

    await migrate.assert_matches(
        url,
        tables.metadata,
        outbox.metadata,
        request_ids.indexed_metadata,
        tombstones.metadata,
        orders.metadata,
    )
