from pathlib import Path

import messaging
from mesh.aip import request_ids
from mesh.store import migrate
from messaging.ledger.tables import MESSAGES

MIGRATIONS = Path(messaging.__file__).parent / "migrations"


async def test_the_migrated_database_is_what_the_tables_say(migrated_database):
    database_url = await migrated_database(MIGRATIONS)

    await migrate.assert_matches(database_url, MESSAGES.metadata, request_ids.metadata)
