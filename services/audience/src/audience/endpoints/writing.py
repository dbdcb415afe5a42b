"""Writes to endpoints, from one to thousands, inside the caller's transaction.

Every door uses this: single calls, batches, streams, imports and links to users.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import asyncpg
from mesh.errors import Error

from audience.endpoints import households, locks, records, store
from audience.endpoints.batches import Batch
from audience.endpoints.patches import Patch
from audience.endpoints.prepared import Prepared
from audience.endpoints.states import State
from audience.endpoints.user_limits import gains
from audience.persons import erased as persons
from audience.users import store as users_store

SMALL_WRITE_MAX: Final = 100

Outcome: TypeAlias = State | Error


async def write_few(
    connection: "asyncpg.Connection[Any]",
    application: str,
    patches: Sequence[Patch],
    now: datetime,
) -> tuple[Batch, list[Outcome]]:
    """Write up to 100 endpoints; the batch, and for each patch its State or its Error."""
    await locks.lock_shared(connection, application)
    await locks.lock(connection, application, "endpoint", (patch.endpoint for patch in patches))
    states = await store.read(connection, application, {patch.endpoint for patch in patches})
    user_ids = _user_ids(patches, states)
    await locks.lock(connection, application, "user", user_ids)
    if any(state.user_id for state in states.values()):
        # Whoever had the lock of a user before may have evicted one of these endpoints.
        states = await store.read(connection, application, states)
    users = await users_store.read(connection, application, user_ids)
    limits = await households.read(connection, application, gains(patches, states), len(patches))
    erased = await persons.read(connection, application, patches, states)
    batch = Batch(application, now, states, users, limits, erased)
    outcomes = [batch.apply(patch) for patch in patches]
    await persons.readmit(connection, application, patches, outcomes)
    await locks.lock(connection, application, "address", map(_address_key, batch.active()))
    await _displace(connection, application, batch, now, alone=False)
    await store.upsert(connection, [record for _, record in batch.records()])
    await users_store.upsert(connection, [record for _, record in batch.user_records()])
    return batch, outcomes


async def write_many(
    connection: "asyncpg.Connection[Any]", prepared: Prepared
) -> tuple[Batch, list[Outcome]]:
    """Write thousands of endpoints; as `write_few`, while nobody else writes to the application."""
    await locks.lock_application(connection, prepared.application)
    if prepared.is_new and await _add(connection, prepared):
        return prepared.batch, prepared.outcomes
    application, patches = prepared.application, prepared.patches
    states = await store.read(connection, application, {patch.endpoint for patch in patches})
    writing_users = [patch for patch in patches if patch.user_attributes or patch.replaced]
    user_ids = _user_ids(writing_users, states)
    users = await users_store.read(connection, application, user_ids)
    limits = await households.read(
        connection, application, gains(patches, states) if states else prepared.gained, len(patches)
    )
    erased = await persons.read(connection, application, patches, states)
    prepared.is_new = not (states or users or limits or erased)
    if prepared.is_new:
        await _copy(connection, prepared)
        return prepared.batch, prepared.outcomes
    batch = Batch(application, prepared.now, states, users, limits, erased)
    outcomes = [batch.apply(patch) for patch in patches]
    if erased:
        await persons.readmit(connection, application, patches, outcomes)
    await _displace(connection, application, batch, prepared.now, alone=True)
    await _store(connection, application, batch)
    return batch, outcomes


async def _add(connection: "asyncpg.Connection[Any]", prepared: Prepared) -> bool:
    """Write all of it as new; false, and nothing is written, if any of it is not."""
    application, patches = prepared.application, prepared.patches
    if await households.read(connection, application, prepared.gained, len(patches)):
        return False
    if await persons.read(connection, application, patches, {}):
        return False
    try:
        async with connection.transaction():
            await _copy(connection, prepared)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def _copy(connection: "asyncpg.Connection[Any]", prepared: Prepared) -> None:
    """Write what is known to be new, or refuses to be written."""
    application, batch, taking = prepared.application, prepared.batch, prepared.taking
    claims = await store.rivals(connection, application, taking, batch.written)
    taken = await store.deactivate(connection, application, claims, taking)
    batch.claims = prepared.claims + taken
    await store.copy(connection, prepared.endpoints)
    await users_store.copy(connection, prepared.users)


async def _displace(
    connection: "asyncpg.Connection[Any]",
    application: str,
    batch: Batch,
    now: datetime,
    *,
    alone: bool,
) -> None:
    """Take addresses from their holders and evict what the batch does not store itself.

    Those rows belong to nobody's locks, so that two small writes could wait for each other.
    """
    taking = store.Taking(batch.active())
    claims = await store.rivals(connection, application, taking, batch.written)
    if (claims or batch.unread) and not alone:
        formers = [one.former for one in claims]
        await store.lock_rows(connection, application, [*batch.written, *formers, *batch.unread])
    batch.claims += await store.deactivate(connection, application, claims, taking)
    there = await store.evict(connection, application, batch.unread, now)
    gone = set(batch.unread) - there
    batch.evictions = [one for one in batch.evictions if one.endpoint not in gone]


async def _store(connection: "asyncpg.Connection[Any]", application: str, batch: Batch) -> None:
    """New rows are copied, for nobody can add them meanwhile; the others are updated."""
    rows = list(batch.records())
    await store.copy(connection, records.copy_text(record for is_new, record in rows if is_new))
    await store.upsert(connection, [record for is_new, record in rows if not is_new])
    users = list(batch.user_records())
    await users_store.copy(
        connection, users_store.copy_text(record for is_new, record in users if is_new)
    )
    await users_store.upsert(connection, [record for is_new, record in users if not is_new])


def _user_ids(patches: Iterable[Patch], states: dict[str, State]) -> set[str]:
    """Users that the writes are about: those they name, and those the endpoints had."""
    found = set()
    for patch in patches:
        if patch.user_id:
            found.add(patch.user_id)
        if patch.endpoint in states:
            found.add(states[patch.endpoint].user_id)
    return found - {""}


def _address_key(state: State) -> str:
    return f"{state.channel_type}\0{state.address}"
