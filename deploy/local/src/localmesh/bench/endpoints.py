"""Endpoints imported per second, against a raw COPY of the same rows.

The yardstick is PostgreSQL's COPY in its text form, from memory, of the very rows that the import
made (endpoints, and the users they belong to), into tables with the same indexes and constraints.
The import begins with the upload of the files and ends when the last row can be read.
"""

import io
from datetime import UTC, datetime

import asyncpg
from heliograph.imports import followed, upload

from localmesh.bench.costs import Costs
from localmesh.bench.rounds import Round, middle_of, stopwatch
from localmesh.bench.stage import PARENT, PEOPLE, Stage, make_application

LIMIT = 0.40
ROUNDS = 3
TABLES = ("endpoint", "user_profile")


async def measure(stage: Stage) -> None:
    """Import the sample, then COPY what came of it; each round into an application of its own."""

    costs = Costs(stage.pids)

    async def one(number: int) -> Round:
        parent = f"{PARENT}-imports-{number}"
        await make_application(stage.client, parent)
        with costs.paying(PEOPLE):
            rate = PEOPLE / await _import_seconds(stage, parent)
        database = stage.mesh.description.databases["audience"]
        return Round(rate, PEOPLE / await _copy_seconds(database, parent.rpartition("/")[2]))

    middle = await middle_of(ROUNDS, one)
    stage.note("raw COPY of the same rows", middle.yardstick, "endpoints/s", process="postgres")
    stage.note(
        "endpoints imported from files",
        middle.rate,
        "endpoints/s",
        yardstick=middle.yardstick,
        limit=LIMIT,
        process="audience",
    )
    stage.note_costs(costs, "endpoint")


async def _import_seconds(stage: Stage, parent: str) -> float:
    """By the job's own times: whoever asks how far it is hears so a little later."""
    began = datetime.now(UTC)
    uploads = [await upload(stage.client, parent, path) for path in stage.sample.files]
    jobs = [await followed(stage.client, operation) for operation in uploads]
    return (max(job.end_time.ToDatetime(UTC) for job in jobs) - began).total_seconds()


async def _copy_seconds(database_url: str, application: str) -> float:
    connection = await asyncpg.connect(database_url)
    try:
        return sum([await _copy_one(connection, table, application) for table in TABLES])
    finally:
        await connection.close()


async def _copy_one(connection: "asyncpg.Connection", table: str, application: str) -> float:
    rows = io.BytesIO()
    mine = f"SELECT * FROM {table} WHERE application = $1"  # tables of ours
    await connection.copy_from_query(mine, application, output=rows)
    rows.seek(0)
    await connection.execute(f"CREATE TABLE {table}_copy (LIKE {table} INCLUDING ALL)")
    with stopwatch() as copying:
        await connection.copy_to_table(f"{table}_copy", source=rows)
    await connection.execute(f"DROP TABLE {table}_copy")
    return copying.seconds
