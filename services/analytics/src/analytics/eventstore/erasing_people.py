"""Erasing the events of users and endpoints from ClickHouse, until no file holds them any more."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from mesh.errors import Unavailable

from analytics.eventstore.client import EventStore
from analytics.eventstore.erasing import TABLES, Note, erase

# Whoever sends events later sends them of somebody who is there.
_THEIRS: Final = """application = {application:String}
    AND receive_time <= {until:DateTime64(6, 'UTC')}
    AND (user_id IN {user_ids:Array(String)} AND user_id != ''
        OR endpoint_id IN {endpoint_ids:Array(String)} AND endpoint_id != '')"""
_OLD_PARTS: Final = """
SELECT count() AS rows FROM system.parts
WHERE database = currentDatabase() AND table IN {tables:Array(String)}
    AND NOT active AND modification_time <= {since:DateTime('UTC')}
"""


@dataclass(frozen=True)
class People:
    """Whose events go, received until then: those of any user or any endpoint of these."""

    application: str
    user_ids: Sequence[str]
    endpoint_ids: Sequence[str]
    until: datetime


async def erase_people(store: EventStore, people: People, note: Note) -> int:
    """Erase what the store has of people; returns once no query finds it, with the rows found.

    Raises Unavailable when the store is away, or has not done it in time.
    """
    total = 0
    for table in TABLES:
        total += await erase(store, table, _THEIRS, asdict(people), note)
    return total


async def refuse_old_parts(store: EventStore, since: datetime) -> None:
    """Raise Unavailable (EVENTS_NOT_ERASED) while there are files that were replaced before then.

    A deletion writes the rows that stay to new files; the store removes the old ones in a minute.
    """
    (found,) = await store.query(_OLD_PARTS, {"tables": list(TABLES), "since": since})
    if found["rows"]:
        raise Unavailable("EVENTS_NOT_ERASED", "files that were rewritten are not removed yet")
