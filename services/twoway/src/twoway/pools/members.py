"""Numbers and sender ids join a pool and leave it.

Callers hold the application's lock on identities.
"""

from typing import Any

from mesh.errors import FailedPrecondition, NotFound
from sqlmodel import col, delete, update
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.keywords import store as keywords
from twoway.keywords.tables import KeywordRow
from twoway.phone_numbers import store as phone_numbers
from twoway.pools import consistency, following, store
from twoway.sender_ids import store as sender_ids
from twoway.tables import PhoneNumberRow, PoolRow, PoolSenderIdRow, SenderIdRow

Identity = PhoneNumberRow | SenderIdRow


async def get(session: AsyncSession, application: str, name: str) -> Identity:
    """The number or sender id of that name, or NOT_FOUND."""
    names.same_application(application, name, "origination_identity")
    if "/senderIds/" in name:
        return await sender_ids.get(session, name, "origination_identity")
    return await phone_numbers.get(session, name, field="origination_identity")


async def begin(session: AsyncSession, pool: PoolRow, first: Identity) -> None:
    """Let the first identity in, whose keywords become those of the pool."""
    if isinstance(first, SenderIdRow):
        session.add(_membership(pool, first))
    else:
        _check_free(first)
        await session.exec(
            update(KeywordRow).where(*_keywords_of(first)).values(phone_number=pool.pool)
        )
        _place(first, pool)
    await following.follow(session, pool)


async def join(session: AsyncSession, pool: PoolRow, identity: Identity) -> bool:
    """Let an identity in; whether it was outside. Refused when it is not as the pool is."""
    if isinstance(identity, SenderIdRow):
        if pool.pool in await sender_ids.pools_of(session, identity):
            return False
        consistency.check_sender_id(pool, identity)
    else:
        if identity.pool == pool.pool:
            return False
        _check_free(identity)
        theirs = await keywords.of_number(session, identity.application, identity.phone_number)
        ours = await keywords.of_number(session, pool.application, pool.pool)
        consistency.check_number(pool, identity, ours, theirs)
    consistency.check_room(pool, await store.count(session, pool))
    if isinstance(identity, SenderIdRow):
        session.add(_membership(pool, identity))
    else:
        await session.exec(delete(KeywordRow).where(*_keywords_of(identity)))
        _place(identity, pool)
    _touch(pool)
    return True


async def leave(session: AsyncSession, pool: PoolRow, identity: Identity) -> None:
    """Let an identity out. It keeps the pool's settings, and a number its keywords."""
    await _check_member(session, pool, identity)
    consistency.check_not_last(pool, await store.count(session, pool))
    if isinstance(identity, SenderIdRow):
        await session.exec(
            delete(PoolSenderIdRow).where(
                col(PoolSenderIdRow.application) == pool.application,
                col(PoolSenderIdRow.pool) == pool.pool,
                col(PoolSenderIdRow.sender_id) == identity.sender_id,
            )
        )
    else:
        await following.keep_keywords(session, pool, [identity.phone_number])
        identity.pool = ""
        identity.revision += 1
    _touch(pool)


async def release_number(session: AsyncSession, number: PhoneNumberRow) -> None:
    """Let a number go that is released, out of its pool if it is in one."""
    if number.pool:
        name = names.pool(number.application, number.pool)
        await leave(session, await store.get(session, name), number)


async def release_sender_id(session: AsyncSession, sender_id: SenderIdRow) -> None:
    """Let a sender id go that is released, out of all of its pools."""
    for pool in await sender_ids.pools_of(session, sender_id):
        name = names.pool(sender_id.application, pool)
        await leave(session, await store.get(session, name), sender_id)


async def _check_member(session: AsyncSession, pool: PoolRow, identity: Identity) -> None:
    if isinstance(identity, SenderIdRow):
        name, pools = identity.sender_id, await sender_ids.pools_of(session, identity)
    else:
        name, pools = identity.phone_number, [identity.pool]
    if pool.pool not in pools:
        ours = names.pool(pool.application, pool.pool)
        raise NotFound(
            "POOL_MEMBER_NOT_FOUND",
            f"{name} does not belong to {ours}",
            pool=ours,
            origination_identity=name,
        )


def _check_free(number: PhoneNumberRow) -> None:
    if number.pool:
        pool = names.pool(number.application, number.pool)
        raise FailedPrecondition(
            "PHONE_NUMBER_ASSOCIATED_TO_POOL",
            f"{number.phone_number} belongs to {pool} already",
            pool=pool,
            phone_number=number.phone_number,
        )


def _place(number: PhoneNumberRow, pool: PoolRow) -> None:
    number.pool = pool.pool
    number.webhook_secrets = dict(pool.webhook_secrets)
    number.revision += 1
    number.update_time = clock.now()


def _membership(pool: PoolRow, sender_id: SenderIdRow) -> PoolSenderIdRow:
    return PoolSenderIdRow(
        application=pool.application, pool=pool.pool, sender_id=sender_id.sender_id
    )


def _touch(pool: PoolRow) -> None:
    pool.revision += 1
    pool.update_time = clock.now()


def _keywords_of(number: PhoneNumberRow) -> tuple[Any, ...]:
    row = KeywordRow
    return (
        col(row.application) == number.application,
        col(row.phone_number) == number.phone_number,
    )
