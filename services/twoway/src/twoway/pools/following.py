"""What happens to the members of a pool when it changes, and to a pool when they do.

Callers hold the application's lock on identities.
"""

from mesh.errors import FailedPrecondition
from sqlalchemy import text
from sqlmodel import col, delete, update
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.keywords.tables import KeywordRow
from twoway.pools import consistency, store
from twoway.pools.consistency import GOVERNED
from twoway.sender_ids import store as sender_ids
from twoway.tables import PhoneNumberRow, PoolRow, PoolSenderIdRow, SenderIdRow

# A number takes the words it answered to with it.
_KEPT = ", ".join(
    name for name in KeywordRow.model_fields if name not in ("application", "phone_number")
)
_KEEP_KEYWORDS = text(f"""
INSERT INTO keywords (application, phone_number, {_KEPT})
SELECT k.application, p.phone_number, {", ".join(f"k.{name}" for name in _KEPT.split(", "))}
FROM phone_numbers p
JOIN keywords k ON k.application = p.application AND k.phone_number = p.pool
WHERE p.application = :application AND p.pool = :pool AND p.phone_number = ANY(:numbers)
""")  # columns of our own
_DISAGREEING = text("""
SELECT ours.sender_id, elsewhere.pool
FROM pool_sender_ids ours
JOIN pool_sender_ids theirs ON theirs.application = ours.application
    AND theirs.sender_id = ours.sender_id AND theirs.pool <> ours.pool
JOIN pools elsewhere ON elsewhere.application = theirs.application
    AND elsewhere.pool = theirs.pool AND elsewhere.opt_out_list <> :opt_out_list
WHERE ours.application = :application AND ours.pool = :pool LIMIT 1
""")


async def check_update(session: AsyncSession, identity: PhoneNumberRow | SenderIdRow) -> None:
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
            {setting: getattr(pool, setting) for setting in (*GOVERNED, "webhook_secrets")}
            | {"revision": col(row.revision) + 1, "update_time": clock.now()}
        )
    )
    await sender_ids.follow(session, pool)


async def disband(session: AsyncSession, pool: PoolRow) -> None:
    """Let everybody out of a pool that ends."""
    row = PhoneNumberRow
    inside = (col(row.application) == pool.application, col(row.pool) == pool.pool)
    members = await store.members(session, pool)
    await keep_keywords(session, pool, [one.rpartition("/")[2] for one in members])
    await session.exec(update(row).where(*inside).values(pool="", revision=col(row.revision) + 1))
    await session.exec(
        delete(PoolSenderIdRow).where(
            col(PoolSenderIdRow.application) == pool.application,
            col(PoolSenderIdRow.pool) == pool.pool,
        )
    )


async def keep_keywords(session: AsyncSession, pool: PoolRow, numbers: list[str]) -> None:
    """Copy the keywords of a pool to numbers that are about to leave it."""
    values = {"application": pool.application, "pool": pool.pool, "numbers": numbers}
    await (await session.connection()).execute(_KEEP_KEYWORDS, values)


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
