"""Orders to erase somebody or something within an application, each a row until it was carried out.

The row is also where an erasure stands, so that any replica goes on with one whose process died.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from mesh.store import tables
from mesh.store.purging import Purge
from mesh.store.tombstones import Sessions
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

TABLE: Final = "erasure_orders"
KEPT: Final = timedelta(days=30)
"""How long one that was carried out is known, so that its answer can be given again."""

STATEMENT_MILLISECONDS_MAX: Final = 600_000
"""For one statement: what has no index by people is looked through, and nobody waits for it."""

metadata = tables.metadata()


def _time(*, nullable: bool) -> Any:
    return Field(default=None, sa_column=sa.Column(sa.DateTime(timezone=True), nullable=nullable))


class OrderRow(SQLModel, table=True):
    """An order. `subject` says who is meant and is empty once it was carried out; `hear_time` is
    when this service heard of it first, `erased_rows` counts by table."""

    __tablename__ = TABLE
    __table_args__ = (
        sa.Index("erasure_orders_open_idx", "hear_time", postgresql_where=sa.text("subject <> ''")),
        sa.Index(
            "erasure_orders_answer_idx",
            "answer_time",
            postgresql_where=sa.text("answer_time IS NOT NULL"),
        ),
    )
    metadata = metadata

    application: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    subject: bytes
    order_time: datetime = _time(nullable=False)
    hear_time: datetime = _time(nullable=False)
    erased_rows: dict[str, int] = Field(default_factory=dict, sa_type=JSONB, nullable=False)
    answer_time: datetime | None = _time(nullable=True)


# Whoever hears of it again, though it has answered, does it again: the answer may be lost.
_TAKE: Final = text(
    """
INSERT INTO erasure_orders
    (application, operation, subject, order_time, hear_time, erased_rows)
VALUES (:application, :operation, :subject, :order_time, :now, CAST(:erased_rows AS jsonb))
ON CONFLICT (application, operation) DO UPDATE SET subject = EXCLUDED.subject
WHERE erasure_orders.subject = ''
"""
)
_COUNTED: Final = """
WITH gone AS ({statement} RETURNING 1), counted AS (SELECT count(*) AS rows FROM gone)
UPDATE erasure_orders SET erased_rows = erased_rows || jsonb_build_object(
    CAST(:what AS text), coalesce((erased_rows->>:what)::bigint, 0) + counted.rows)
FROM counted WHERE application = :application AND operation = :operation
RETURNING counted.rows
"""
_PATIENTLY: Final = text("SELECT set_config('statement_timeout', :milliseconds, true)")
_COUNT: Final = text(
    """
UPDATE erasure_orders SET erased_rows = erased_rows || jsonb_build_object(
    CAST(:what AS text), coalesce((erased_rows->>:what)::bigint, 0) + :rows)
WHERE application = :application AND operation = :operation
"""
)
_NOTE: Final = text(
    """
UPDATE erasure_orders SET erased_rows = erased_rows || jsonb_build_object(
    CAST(:what AS text), greatest((erased_rows->>:what)::bigint, :rows))
WHERE application = :application AND operation = :operation
"""
)


async def take(
    session: AsyncSession,
    application: str,
    operation: str,
    subject: bytes,
    order_time: datetime,
    now: datetime,
    erased_rows: str = "{}",
) -> None:
    """Take an order, any number of times; `erased_rows` is what was erased with it, as JSON."""
    values = {
        "application": application,
        "operation": operation,
        "subject": subject,
        "order_time": order_time,
        "now": now,
        "erased_rows": erased_rows,
    }
    await (await session.connection()).execute(_TAKE, values)


async def waiting(session: AsyncSession, limit: int) -> list[OrderRow]:
    """Those that are still to be carried out, the oldest first."""
    query = select(OrderRow).where(col(OrderRow.subject) != b"").order_by(col(OrderRow.hear_time))
    return list((await session.exec(query.limit(limit))).all())


async def find(session: AsyncSession, order: OrderRow) -> OrderRow | None:
    """The order as it stands, locked; None when its application went."""
    key = (order.application, order.operation)
    return await session.get(OrderRow, key, with_for_update=True)


async def erase(
    sessions: Sessions, order: OrderRow, what: str, statement: str, values: Mapping[str, Any]
) -> int:
    """Run a DELETE or UPDATE without RETURNING, and count its rows in the same transaction.

    The statement may use `:application` and `:operation` beside its own values.
    """
    counted = text(_COUNTED.format(statement=statement))
    own = {"application": order.application, "operation": order.operation, "what": what}
    async with sessions.begin() as session:
        connection = await session.connection()
        await connection.execute(_PATIENTLY, {"milliseconds": str(STATEMENT_MILLISECONDS_MAX)})
        found = await connection.execute(counted, {**values, **own})
        return int(found.scalar() or 0)


async def note(sessions: Sessions, order: OrderRow, what: str, rows: int) -> None:
    """Count what is erased elsewhere than in this database, before it is; the largest counts."""
    own = {"application": order.application, "operation": order.operation}
    async with sessions.begin() as session:
        await (await session.connection()).execute(_NOTE, {**own, "what": what, "rows": rows})


async def count(sessions: Sessions, order: OrderRow, what: str, rows: int) -> None:
    """Count what was erased elsewhere than in this database, after it was."""
    own = {"application": order.application, "operation": order.operation}
    async with sessions.begin() as session:
        await (await session.connection()).execute(_COUNT, {**own, "what": what, "rows": rows})


def aged() -> Purge:
    """What was carried out so long ago that nobody asks again."""
    return Purge(TABLE, "answer_time < :before", KEPT)


def create_table(op: Any) -> None:
    """The first form of the table, for a migration; `op` is alembic's."""
    op.create_table(
        TABLE,
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("operation", sa.String(), primary_key=True),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("order_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hear_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_rows", JSONB(), nullable=False),
        sa.Column("answer_time", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "erasure_orders_open_idx",
        TABLE,
        ["hear_time"],
        postgresql_where=sa.text("subject <> ''"),
    )
    op.create_index(
        "erasure_orders_answer_idx",
        TABLE,
        ["answer_time"],
        postgresql_where=sa.text("answer_time IS NOT NULL"),
    )


def drop_table(op: Any) -> None:
    """Undo `create_table`."""
    op.drop_table(TABLE)
