"""Numbers and sender ids join a pool, leave it, and are changed with it.

Callers hold the application's lock on identities.
"""

from typing import Any

from mesh.errors import FailedPrecondition, NotFound
from sqlalchemy import text
from sqlmodel import col, delete, update
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.keywords import store as keywords
from twoway.phone_numbers import store as phone_numbers
from twoway.pools import consistency, store
from twoway.pools.consistency import GOVERNED
from twoway.sender_ids import store as sender_ids
from twoway.tables import KeywordRow, PhoneNumberRow, PoolRow, PoolSenderIdRow, SenderIdRow

# A number takes the words it answered to with it.
_KEEP_KEYWORDS = text("""
INSERT INTO keywords (application, phone_number, keyword_id, keyword, words, action, reply_text,
    localized_reply_texts, revision, create_time, update_time)
SELECT k.application, p.phone_number, k.keyword_id, k.keyword, k.words, k.action, k.reply_text,
    k.localized_reply_texts, k.revision, k.create_time, k.update_time
FROM phone_numbers p
JOIN keywords k ON k.application = p.application AND k.phone_number = p.pool
WHERE p.application = :application AND p.pool = :pool AND p.phone_number = ANY(:numbers)
""")
_DISAGREEING = text("""
SELECT ours.sender_id, elsewhere.pool
FROM pool_sender_ids ours
JOIN pool_sender_ids theirs ON theirs.application = ours.application
    AND theirs.sender_id = ours.sender_id AND theirs.pool <> ours.pool
JOIN pools elsewhere ON elsewhere.application = theirs.application
    AND elsewhere.pool = theirs.pool AND elsewhere.opt_out_list <> :opt_out_list
WHERE ours.application = :application AND ours.pool = :pool LIMIT 1
""")

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
    await follow(session, pool)


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
        await _keep_keywords(session, pool, [identity.phone_number])
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


async def check_update(session: AsyncSession, identity: Identity) -> None:
    """Refuse that a member becomes what its pools are not."""
    if isinstance(identity, SenderIdRow):
        for one in await sender_ids.pools_of(session, identity):
            pool = await store.get(session, names.pool(identity.application, one))
            consistency.check_sender_id(pool, identity)
    elif identity.pool:
        pool = await store.get(session, names.pool(identity.application, identity.pool))
        consistency.check_governed(pool, identity)


async def follow(session: AsyncSession, pool: PoolRow) -> None:
    """Give all members the settings that the pool has now.

    Refused (OPT_OUT_LIST_MISMATCH) where a sender id would leave the list of another pool.
    """
    await _agree_elsewhere(session, pool)
    row = PhoneNumberRow
    await session.exec(
        update(row)
        .where(col(row.application) == pool.application, col(row.pool) == pool.pool)
        .values(
            {setting: getattr(pool, setting) for setting in GOVERNED}
            | {"revision": col(row.revision) + 1, "update_time": clock.now()}
        )
    )
    await sender_ids.follow(session, pool)


async def disband(session: AsyncSession, pool: PoolRow) -> None:
    """Let everybody out of a pool that ends."""
    row = PhoneNumberRow
    inside = (col(row.application) == pool.application, col(row.pool) == pool.pool)
    members = await store.members(session, pool)
    await _keep_keywords(session, pool, [one.rpartition("/")[2] for one in members])
    await session.exec(update(row).where(*inside).values(pool="", revision=col(row.revision) + 1))
    await session.exec(
        delete(PoolSenderIdRow).where(
            col(PoolSenderIdRow.application) == pool.application,
            col(PoolSenderIdRow.pool) == pool.pool,
        )
    )


async def _agree_elsewhere(session: AsyncSession, pool: PoolRow) -> None:
    values = {"application": pool.application, "pool": pool.pool}
    # A membership that was just made counts as well.
    await session.flush()
    connection = await session.connection()
    found = await connection.execute(_DISAGREEING, values | {"opt_out_list": pool.opt_out_list})
    other = found.first()
    if other is not None:
        theirs = names.pool(pool.application, other.pool)
        raise FailedPrecondition(
            "OPT_OUT_LIST_MISMATCH",
            f"{other.sender_id} belongs to {theirs} as well, which has another opt-out list",
            pool=theirs,
            origination_identity=other.sender_id,
        )


async def _keep_keywords(session: AsyncSession, pool: PoolRow, numbers: list[str]) -> None:
    values = {"application": pool.application, "pool": pool.pool, "numbers": numbers}
    await (await session.connection()).execute(_KEEP_KEYWORDS, values)


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
