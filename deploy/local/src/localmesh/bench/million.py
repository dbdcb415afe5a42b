"""A million endpoints of half a million people, put straight into the tables, and taken away again.

They come from INSERT … SELECT, as importing them is measured elsewhere. The tables are vacuumed
then, as PostgreSQL does by itself a minute later. One phone number in a hundred has said STOP.
Ids are hashes: the order of the keys has nothing to do with that in which rows lie in the table.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from localmesh.bench.stage import Stage, make_application

APPLICATION: Final = "bench-million"
PARENT: Final = f"applications/{APPLICATION}"
COUNT: Final = 1_000_000

_TABLES: Final = ("endpoint", "user_profile", "address_opt_out")
_FILL: Final = f"""
INSERT INTO user_profile
    (application, user_id, attributes, create_time, update_time, revision)
SELECT '{APPLICATION}', 'u' || lpad(i::text, 7, '0'),
    jsonb_build_object(
        'first_name', ARRAY['Ada ' || i % 1000],
        'plan', ARRAY[(ARRAY['gold', 'silver', 'free', 'trial'])[1 + abs(hashint4(i)) % 4]]),
    now(), now(), 1
FROM generate_series(0, {COUNT // 2 - 1}) AS i;

INSERT INTO endpoint
    (application, endpoint, channel_type, address, attributes, metrics, demographic, location,
     user_id, opt_out, status, refused_topics, create_time, update_time, revision)
SELECT '{APPLICATION}', md5(i::text), (ARRAY[1, 1, 1, 2, 3])[1 + i % 5],
    CASE i % 5
        WHEN 3 THEN 'person' || i || '@mail.example.com'
        WHEN 4 THEN 'token-' || md5(i::text)
        ELSE '+1212' || lpad(i::text, 7, '0')
    END,
    jsonb_build_object(
        'interest', ARRAY[(ARRAY['cycling', 'cooking', 'opera', 'chess', 'running', 'gardening']
            )[1 + abs(hashint4(i + 1)) % 6]],
        'store', ARRAY['store ' || i % 250]),
    jsonb_build_object(
        'visits', abs(hashint4(i + 2)) % 60, 'spent', abs(hashint4(i + 3)) % 10000 / 100.0),
    jsonb_build_object(
        'make', 'Apple', 'model', 'iPhone 17', 'platform', 'iOS', 'timezone', 'America/New_York'),
    jsonb_build_object(
        'country', (ARRAY['US', 'DE', 'GB', 'FR', 'IN', 'BR', 'JP', 'ES']
            )[1 + abs(hashint4(i + 4)) % 8],
        'city', 'City ' || i % 500, 'latitude', i % 900 / 10.0, 'longitude', i % 1800 / 10.0),
    'u' || lpad((i / 2)::text, 7, '0'), 1, 1, '[]',
    now() - abs(hashint4(i + 5)) % 300 * interval '1 day',
    now() - abs(hashint4(i + 6)) % 100 * interval '1 day', 1
FROM generate_series(0, {COUNT - 1}) AS i;

INSERT INTO address_opt_out
    (application, address, opt_out_list, opted_out, change_time, origination_identity)
SELECT application, address, 'default', true, now(), ''
FROM endpoint WHERE application = '{APPLICATION}' AND channel_type = 1 AND address LIKE '%00';
"""


def endpoint_id(serial: int) -> str:
    """The id of one of them."""
    return hashlib.md5(str(serial).encode(), usedforsecurity=False).hexdigest()


@asynccontextmanager
async def a_million(stage: Stage) -> AsyncIterator["asyncpg.Connection"]:
    """The application is full inside the block; gives a connection to its database.

    Whoever was there before goes too: all of it at once takes no time.
    """
    connection = await asyncpg.connect(stage.mesh.description.databases["audience"])
    try:
        await make_application(stage.client, PARENT)
        await connection.execute(_FILL)
        for table in _TABLES:
            await connection.execute(f"VACUUM ANALYZE {table}")
        yield connection
    finally:
        stage.is_peopled = False
        await connection.execute(f"TRUNCATE {', '.join(_TABLES)}")
        await connection.close()
