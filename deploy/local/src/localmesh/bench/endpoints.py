"""Endpoints imported per second, against a raw COPY of the same rows into the same table."""

import io

import asyncpg
from heliograph.imports import followed, upload

from localmesh.bench.stage import PARENT, Stage, stopwatch
from localmesh.sample import files
from localmesh.sample.people import people

ENDPOINTS = 50_000
LIMIT = 0.40


async def measure(stage: Stage) -> None:
    """Import the sample audience, then COPY what came of it into a table of the same shape."""
    sample = files.write(people(ENDPOINTS), stage.folder / "sample")
    with stopwatch() as importing:
        for path in sample.files:
            await followed(stage.client, await upload(stage.client, PARENT, path))
    raw_rate = await _raw_copy(stage.mesh.description.databases["audience"])
    stage.note("raw COPY of the same endpoints", raw_rate, "endpoints/s", process="postgres")
    stage.note(
        "endpoints imported from files",
        ENDPOINTS / importing.seconds,
        "endpoints/s",
        yardstick=raw_rate,
        limit=LIMIT,
        process="audience",
    )


async def _raw_copy(database_url: str) -> float:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE endpoint_copy (LIKE endpoint INCLUDING ALL)")
        rows = io.BytesIO()
        await connection.copy_from_query("SELECT * FROM endpoint", output=rows, format="binary")
        rows.seek(0)
        with stopwatch() as copying:
            await connection.copy_to_table("endpoint_copy", source=rows, format="binary")
        count = await connection.fetchval("SELECT count(*) FROM endpoint_copy")
        await connection.execute("DROP TABLE endpoint_copy")
        return float(count) / copying.seconds
    finally:
        await connection.close()
