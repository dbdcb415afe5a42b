"""A step that is held from outside, so that its process is killed there: it waits for a lock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from mesh.testkit.waiting import eventually

KEY = 4712

_HOLD = f"""
CREATE OR REPLACE FUNCTION hold_step() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared({KEY}); RETURN coalesce(NEW, OLD); END $$
"""
_WAITING = f"""
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {KEY} AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class Step:
    """A step of a service: a change of rows, as a trigger has it.

    `before` waits before the change, `at_commit` when all of its transaction has been said.
    """

    what: str
    service: str
    change: str
    table: str
    when: str = ""
    at_commit: bool = False

    @property
    def trigger(self) -> str:
        """The statement that makes the step wait."""
        when = f" WHEN ({self.when})" if self.when else ""
        if self.at_commit:
            return (
                f"CREATE CONSTRAINT TRIGGER hold_step AFTER {self.change} ON {self.table}"
                f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW{when} EXECUTE FUNCTION hold_step()"
            )
        return (
            f"CREATE TRIGGER hold_step BEFORE {self.change} ON {self.table}"
            f" FOR EACH ROW{when} EXECUTE FUNCTION hold_step()"
        )


@asynccontextmanager
async def held(database_url: str, step: Step) -> AsyncIterator[Any]:
    """A connection that holds the step up inside the block; after it, nothing is held up."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_HOLD)
        await connection.execute("SELECT pg_advisory_lock($1)", KEY)
        await connection.execute(step.trigger)
        yield connection
        await connection.execute("SELECT pg_advisory_unlock_all()")
        await connection.execute(f"DROP TRIGGER hold_step ON {step.table}")
    finally:
        await connection.close()


async def reached(connection: Any) -> None:
    """Until a statement waits."""
    await eventually(lambda: _waiting(connection))


async def undo(connection: Any) -> None:
    """What waits now has never happened."""
    for pid in await _waiting(connection):
        await connection.execute("SELECT pg_terminate_backend($1)", pid)


async def _waiting(connection: Any) -> list[int]:
    return [record["pid"] for record in await connection.fetch(_WAITING)]
