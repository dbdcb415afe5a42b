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
from audience.endpoints.states import State
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
    limits = await households.read(connection, application, patches, states)
    batch = Batch(application, now, states, users, limits)
    outcomes = [batch.apply(patch) for patch in patches]
    await locks.lock(connection, application, "address", map(_address_key, batch.active()))
    await _displace(connection, application, batch, now, alone=False)
    await store.upsert(connection, [record for _, record in batch.records()])
    await users_store.upsert(connection, [record for _, record in batch.user_records()])
    return batch, outcomes


class Prepared:
    """A large write, merged ahead as if all of it were new: for an import it mostly is.

    Making one costs most of the work and needs no connection, so it is done while the database is
    busy with the write before.
    """

    def __init__(self, application: str, patches: Sequence[Patch], now: datetime) -> None:
        self.application = application
        self.patches = patches
        self.now = now
        self.batch = Batch(application, now, {}, {})
        self.outcomes = [self.batch.apply(patch) for patch in patches]
        self.endpoints = records.copy_text(record for _, record in self.batch.records())
        self.users = users_store.copy_text(record for _, record in self.batch.user_records())


async def write_many(
    connection: "asyncpg.Connection[Any]", prepared: Prepared
) -> tuple[Batch, list[Outcome]]:
    """Write thousands of endpoints; as `write_few`, while nobody else writes to the application."""
    application, patches = prepared.application, prepared.patches
    await locks.lock_application(connection, application)
    states = await store.read(connection, application, {patch.endpoint for patch in patches})
    writing_users = [patch for patch in patches if patch.user_attributes or patch.replaced]
    user_ids = _user_ids(writing_users, states)
    users = await users_store.read(connection, application, user_ids)
    limits = await households.read(connection, application, patches, states)
    if not states and not users and not limits:
        await _displace(connection, application, prepared.batch, prepared.now, alone=True)
        await store.copy(connection, prepared.endpoints)
        await users_store.copy(connection, prepared.users)
        return prepared.batch, prepared.outcomes
    batch = Batch(application, prepared.now, states, users, limits)
    outcomes = [batch.apply(patch) for patch in patches]
    await _displace(connection, application, batch, prepared.now, alone=True)
    await _store(connection, application, batch)
    return batch, outcomes


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
    active = batch.active()
    claims = await store.rivals(connection, application, active, batch.written)
    if (claims or batch.unread) and not alone:
        formers = [one.former for one in claims]
        await store.lock_rows(connection, application, [*batch.written, *formers, *batch.unread])
    batch.claims += await store.deactivate(connection, application, claims, active)
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
