"""How a segment gets its members from an import: noted as rows come, made a version at the end.

Until then nobody sees them. What an import brought that was stopped or failed is purged.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
from heliograph.audience.v1 import segment_pb2 as pb
from mesh.aip import resource_names
from mesh.errors import FailedPrecondition
from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import channels, names
from audience.segments import store
from audience.tables import ImportedListRow, SegmentRow, SegmentVersionRow

_NOTE: Final = """
INSERT INTO imported_{noun} (application, import_job, {column})
SELECT $1, $2, one FROM unnest($3::text[]) AS one
ON CONFLICT DO NOTHING RETURNING {column}
"""
_NOTE_ENDPOINTS: Final = _NOTE.format(noun="endpoint", column="endpoint")
_NOTE_USERS: Final = _NOTE.format(noun="user", column="user_id")
_COUNT: Final = """
INSERT INTO imported_list AS list
    (application, import_job, endpoint_count, user_count, counts_by_channel, create_time)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (application, import_job) DO UPDATE SET
    endpoint_count = list.endpoint_count + $3,
    user_count = list.user_count + $4,
    counts_by_channel = list.counts_by_channel || (
        SELECT coalesce(jsonb_object_agg(key, value::bigint
            + coalesce((list.counts_by_channel ->> key)::bigint, 0)), '{}')
        FROM jsonb_each_text($5)
    )
"""


async def check(session: AsyncSession, application: str, segment: str) -> None:
    """Refuse to bring members to a segment that asks a question (SEGMENT_NOT_IMPORTED)."""
    row = await session.get(SegmentRow, (application, segment))
    if row is not None:
        await _refuse_question(session, row)


async def note(
    connection: "asyncpg.Connection[Any]",
    application: str,
    import_job: str,
    endpoints: Mapping[str, int],
    user_ids: Iterable[str],
    now: datetime,
) -> None:
    """Add members, any number of times: endpoints with their channel types, and users."""
    key = (application, import_job)
    added = await connection.fetch(_NOTE_ENDPOINTS, *key, sorted(endpoints))
    users = await connection.fetch(_NOTE_USERS, *key, sorted(set(user_ids)))
    by_channel = Counter(channels.NAMES[endpoints[row[0]]] for row in added)
    await connection.execute(_COUNT, *key, len(added), len(users), json.dumps(by_channel), now)


async def publish(
    session: AsyncSession, application: str, import_job: str, segment: str, now: datetime
) -> str:
    """Make what an import brought the newest version of a segment; the name of that version.

    Raises FailedPrecondition with reason `SEGMENT_NOT_IMPORTED`.
    """
    brought = await session.get(ImportedListRow, (application, import_job))
    imported = pb.ImportedMembers(
        import_job=resource_names.format(
            names.IMPORT_JOB, application=application, import_job=import_job
        )
    )
    if brought is not None:
        imported.endpoint_count, imported.user_count = brought.endpoint_count, brought.user_count
        imported.counts_by_channel.update(brought.counts_by_channel)
    row = await _next_version(session, application, segment, now)
    version = SegmentVersionRow(
        application=application,
        segment=segment,
        version=row.version,
        filter=b"",
        create_time=now,
        import_job=import_job,
        imported=imported.SerializeToString(deterministic=True),
    )
    session.add(version)
    await session.flush()
    return names.version_name(application, segment, row.version)


async def _next_version(
    session: AsyncSession, application: str, segment: str, now: datetime
) -> SegmentRow:
    """The segment, made when it is missing, at the version that is to come."""
    made = insert(SegmentRow).values(
        application=application,
        segment=segment,
        display_name="",
        description="",
        labels={},
        version=0,
        revision=0,
        create_time=now,
        update_time=now,
    )
    connection = await session.connection()
    await connection.execute(made.on_conflict_do_nothing())
    row = await store.get(session, application, segment, lock=True)
    await _refuse_question(session, row)
    row.version, row.revision, row.update_time = row.version + 1, row.revision + 1, now
    await session.flush()
    return row


async def _refuse_question(session: AsyncSession, row: SegmentRow) -> None:
    if not row.version:
        return
    newest = await store.version(session, row.application, row.segment, row.version)
    if not newest.import_job:
        name = names.segment_name(row.application, row.segment)
        raise FailedPrecondition(
            "SEGMENT_NOT_IMPORTED",
            f"{name} asks a question, so that no import can bring its members",
            segment=name,
        )
