"""Comparing a migrated database with what the tables in Python say, catalog against catalog."""

import difflib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from mesh.store import urls
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

# Partitions are left out: which of them exist depends on the day, not on the history.
DESCRIBE = """
WITH tables AS (
    SELECT c.oid, c.oid::regclass::text AS name, c.relkind, c.relpersistence,
        coalesce(pg_get_partkeydef(c.oid), '') AS partition_key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        AND c.relname <> 'alembic_version'
)
SELECT t.name || ' is a table ' || partition_key || t.relpersistence::text AS line FROM tables t
UNION ALL
SELECT t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || CASE a.attidentity WHEN 'a' THEN ' identity always' WHEN 'd' THEN ' identity' ELSE '' END
    || CASE a.attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END
    || coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT t.name || ' constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype <> 'n'
UNION ALL
SELECT t.name || ' index ' || pg_get_indexdef(i.indexrelid)
FROM tables t JOIN pg_index i ON i.indrelid = t.oid
UNION ALL
SELECT t.name || ' trigger ' || pg_get_triggerdef(g.oid)
FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'enum ' || e.enumtypid::regtype::text || ' '
    || string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
FROM pg_enum e GROUP BY e.enumtypid
ORDER BY 1
"""


async def describe(database_url: str) -> list[str]:
    """Tables, columns, constraints, indexes, triggers and enums, one sorted line each."""
    connection = await asyncpg.connect(database_url)
    try:
        return [row["line"] for row in await connection.fetch(DESCRIBE)]
    finally:
        await connection.close()


async def assert_matches(database_url: str, *metadata: MetaData) -> None:
    """Fail with a diff unless the migrated database is exactly what `metadata` describes.

    The tables are created in a scratch database on the same server, so the role must be allowed to
    create one; the order of columns does not count. Partitions and functions are not compared.
    """
    migrated = await describe(database_url)
    async with _scratch_database(database_url) as scratch_url:
        await _create_tables(scratch_url, metadata)
        described = await describe(scratch_url)
    if migrated != described:
        lines = difflib.unified_diff(described, migrated, "tables", "migrations", n=0, lineterm="")
        raise AssertionError("\n".join(["migrations and tables differ:", *lines]))


async def _create_tables(database_url: str, metadata: tuple[MetaData, ...]) -> None:
    engine = create_async_engine(urls.for_sqlalchemy(database_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            for tables in metadata:
                await connection.run_sync(tables.create_all)
    finally:
        await engine.dispose()


@asynccontextmanager
async def _scratch_database(database_url: str) -> AsyncIterator[str]:
    name = f"scratch_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(database_url)
    try:
        extensions = await admin.fetch("SELECT extname FROM pg_extension")
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        scratch_url = urls.with_database(database_url, name)
        await _create_extensions(scratch_url, [row["extname"] for row in extensions])
        try:
            yield scratch_url
        finally:
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


async def _create_extensions(database_url: str, names: list[str]) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for name in names:
            await connection.execute(f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE')
    finally:
        await connection.close()
