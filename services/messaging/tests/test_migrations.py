from pathlib import Path

import asyncpg
import messaging
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.channel_pb2 import Channel, FcmProvider, SmppProvider
from mesh.aip import request_ids
from mesh.store import migrate, orders, tombstones
from messaging.ledger.tables import MESSAGES

MIGRATIONS = Path(messaging.__file__).parent / "migrations"


async def test_the_migrated_database_is_what_the_tables_say(migrated_database):
    database_url = await migrated_database(MIGRATIONS)

    await migrate.assert_matches(
        database_url, MESSAGES.metadata, request_ids.metadata, tombstones.metadata, orders.metadata
    )


async def test_of_channels_that_share_an_account_the_oldest_gets_it(database):
    await migrate.upgrade(database, MIGRATIONS, to="0001")
    connection = await asyncpg.connect(database)
    try:
        await insert(connection, "oldest", sms("smpp.example.com", 2775))
        await insert(connection, "second", sms("SMPP.example.com."))
        await insert(connection, "apart", sms("smpp.example.com", 2776))
        await insert(
            connection, "push", Channel(channel_type=ChannelType.PUSH_FCM, fcm=FcmProvider())
        )

        await migrate.upgrade(database, MIGRATIONS)

        # The previous release goes on writing for a while.
        await insert(connection, "meanwhile", sms("smpp.example.com"))
        rows = await connection.fetch("SELECT application, account FROM channels")
    finally:
        await connection.close()
    assert dict(rows) == {
        "oldest": "smpp smpp.example.com 2775 acme",
        "second": None,
        "apart": "smpp smpp.example.com 2776 acme",
        "push": None,
        "meanwhile": None,
    }


def sms(host, port=0):
    smpp = SmppProvider(host=host, port=port, system_id="acme")
    return Channel(channel_type=ChannelType.SMS, smpp=smpp)


async def insert(connection, application, channel):
    await connection.execute(
        "INSERT INTO channels (application, id, channel_type, enabled, config, secrets, revision, "
        "create_time, update_time) VALUES ($1, 'c', $2, true, $3, '{}', 1, now(), now())",
        application,
        channel.channel_type,
        channel.SerializeToString(),
    )
