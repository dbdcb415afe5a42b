"""What a chunk brings: endpoints that are written, or that are there already, and users."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.errors import Error, NotFound
from mesh.errors.refusals import invalid
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.endpoints import addresses, locks, store
from audience.endpoints.batches import Batch
from audience.endpoints.patches import Patch
from audience.endpoints.records import joined
from audience.endpoints.states import State
from audience.endpoints.writing import Outcome, write_many
from audience.persons import erased
from audience.segments import imports
from audience.tables import ImportJobRow
from audience.transfers.chunks import Chunk
from audience.transfers.failures import Failure, failure
from audience.transfers.rows import Users


async def bring(
    connection: "asyncpg.Connection[Any]", row: ImportJobRow, chunk: Chunk
) -> tuple[Batch, list[Outcome], list[Failure]]:
    """Write a chunk's endpoints, or only look for them, and note a segment's members.

    For each patch its State or its Error, and the rows of users that were refused.
    """
    spec, prepared = pb.ImportSpec.FromString(row.spec), chunk.prepared
    for patch in prepared.patches if spec.readmit_erased else ():
        patch.readmits = True
    if spec.skip_endpoints:
        batch = Batch(row.application, prepared.now, {}, {})
        outcomes = await _stored(connection, row.application, prepared.patches)
    else:
        batch, outcomes = await write_many(connection, prepared)
    if not spec.segment_id:
        return batch, outcomes, [failure(line, _alone()) for line, _ in chunk.users]
    endpoints = {one.endpoint: one.channel_type for one in outcomes if isinstance(one, State)}
    if spec.readmit_erased:
        alone = (user_id for _, user_id in chunk.users)
        await erased.readmit_users(connection, row.application, alone)
    gone = await _gone(connection, row.application, chunk.users)
    user_ids = [user_id for _, user_id in chunk.users if not gone.has_user(user_id)]
    key = (row.application, row.import_job)
    await imports.note(connection, *key, endpoints, user_ids, prepared.now)
    refusal = erased.refusal("user.user_id")
    return (
        *(batch, outcomes),
        [failure(line, refusal) for line, user_id in chunk.users if gone.has_user(user_id)],
    )


async def _gone(
    connection: "asyncpg.Connection[Any]", application: str, users: Users
) -> erased.Erased:
    """Users who were erased: their ids are not to be written down again."""
    patches = [Patch(user_id=user_id) for _, user_id in users]
    return await erased.read(connection, application, patches, {}) if users else erased.NOBODY


async def publish(session: AsyncSession, row: ImportJobRow, now: datetime) -> str:
    """Give the segment that was asked for its members; its version, empty when there is none."""
    segment = pb.ImportSpec.FromString(row.spec).segment_id
    if not segment:
        return ""
    return await imports.publish(session, row.application, row.import_job, segment, now)


async def _stored(
    connection: "asyncpg.Connection[Any]", application: str, patches: Sequence[Patch]
) -> list[Outcome]:
    """The endpoint that each row means: that of its id, or for want of one that of its address."""
    await locks.lock_application(connection, application)
    states = await store.read(connection, application, {patch.endpoint for patch in patches})
    unknown = {
        (patch.channel_type, patch.address): patch.endpoint
        for patch in patches
        if patch.endpoint not in states and _is_derived(patch)
    }
    held = await connection.fetch(
        store.HOLDERS,
        application,
        joined(str(channel_type) for channel_type, _ in unknown),
        joined(str(address) for _, address in unknown),
    )
    holders = {
        endpoint: derived
        for endpoint, channel_type, address in held
        if (derived := unknown.get((channel_type, address)))
    }
    for endpoint, state in (await store.read(connection, application, holders)).items():
        states[holders[endpoint]] = state
    return [states.get(patch.endpoint) or _missing(patch) for patch in patches]


def _is_derived(patch: Patch) -> bool:
    """Whether the row had no id of its own."""
    if not patch.channel_type or not patch.address:
        return False
    return patch.endpoint == addresses.derived_id(patch.channel_type, patch.address)


def _missing(patch: Patch) -> NotFound:
    if _is_derived(patch):
        return NotFound("ENDPOINT_NOT_FOUND", "no endpoint has the row's address")
    return NotFound("ENDPOINT_NOT_FOUND", f"there is no endpoint {patch.endpoint}")


def _alone() -> Error:
    description = "the row is a user alone, as segments have them: spec.segment_id is not given"
    return invalid("CHANNEL_TYPE_MISSING", "channel_type", description)
