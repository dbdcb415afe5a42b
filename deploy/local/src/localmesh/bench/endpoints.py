"""A million endpoints imported, against a raw COPY of the same rows.

The yardstick is PostgreSQL's COPY in its text form, from a file, of the very rows that the import
made (endpoints, and the users they belong to), into empty tables with the same indexes and
constraints. The import begins when its two files, CSV and JSON lines, lie in the import folder and
the jobs are made, and ends when the last row can be read.
"""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from heliograph.audience.v1.transfer_service_pb2 import ImportEndpointsRequest
from heliograph.imports import followed

from localmesh.bench.costs import Costs
from localmesh.bench.rounds import stopwatch
from localmesh.bench.stage import PARENT, Stage, make_application
from localmesh.sample import files
from localmesh.sample.people import people

ENDPOINTS = 1_000_000
LIMIT = 0.60
TABLES = ("endpoint", "user_profile")


async def measure(stage: Stage) -> None:
    """Import the sample's people, more of them, then COPY what came of it."""
    application = f"{PARENT.rpartition('/')[2]}-imports"
    await make_application(stage.client, f"applications/{application}")
    folder = stage.mesh.layout.imports / application
    sample = await asyncio.to_thread(files.write, people(ENDPOINTS), folder)
    costs = Costs(stage.pids)
    with costs.paying(ENDPOINTS):
        rate = ENDPOINTS / await _import_seconds(stage, application, sample.files)
    database = stage.mesh.description.databases["audience"]
    copied = ENDPOINTS / await _copy_seconds(database, application)
    stage.note("raw COPY of the same rows", copied, "endpoints/s", process="postgres")
    stage.note(
        "a million endpoints imported",
        rate,
        "endpoints/s",
        yardstick=copied,
        limit=LIMIT,
        process="audience",
    )
    stage.note_costs(costs, "endpoint")


async def _import_seconds(stage: Stage, application: str, paths: tuple[Path, ...]) -> float:
    """By the jobs' own times: whoever asks how far they are hears so a little later."""
    parent = f"applications/{application}"
    began = datetime.now(UTC)
    started = [
        await stage.client.transfers.ImportEndpoints(
            ImportEndpointsRequest(parent=parent, path=path.name)
        )
        for path in paths
    ]
    jobs = [await followed(stage.client, operation) for operation in started]
    return (max(job.end_time.ToDatetime(UTC) for job in jobs) - began).total_seconds()


async def _copy_seconds(database_url: str, application: str) -> float:
    connection = await asyncpg.connect(database_url)
    try:
        return sum([await _copy_one(connection, table, application) for table in TABLES])
    finally:
        await connection.close()


async def _copy_one(connection: "asyncpg.Connection", table: str, application: str) -> float:
    mine = f"SELECT * FROM {table} WHERE application = $1"  # tables of ours
    await connection.execute(f"CREATE TABLE {table}_copy (LIKE {table} INCLUDING ALL)")
    with tempfile.TemporaryFile() as rows:
        await connection.copy_from_query(mine, application, output=rows)
        rows.seek(0)
        with stopwatch() as copying:
            await connection.copy_to_table(f"{table}_copy", source=rows)
    await connection.execute(f"DROP TABLE {table}_copy")
    return copying.seconds
