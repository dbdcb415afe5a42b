"""Every PostgreSQL statement of this service."""

from collections.abc import Sequence
from datetime import UTC, datetime

from mesh.errors import AlreadyExists, NotFound, ResourceExhausted
from sqlalchemy import func, not_, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from analytics.tables import EVENT_TYPE, EventNameRow, FunnelRow

FUNNELS_MAX = 1_000
"""Per application."""


async def names(session: AsyncSession, application: str) -> Sequence[tuple[str, str]]:
    """Kind and name of everything the application has used."""
    found = select(EventNameRow.kind, EventNameRow.name).where(
        EventNameRow.application == application
    )
    return (await session.exec(found)).all()


async def keep_names(
    session: AsyncSession, application: str, kind: str, wanted: Sequence[str], limit: int
) -> set[str]:
    """Those of the wanted names that are kept now or were before; the rest is over the limit.

    Whoever else adds names of the application waits, so that the limit holds with many replicas.
    """
    key = func.hashtextextended(f"{application}/{kind}", 0)
    await session.exec(select(func.pg_advisory_xact_lock(key)))
    of_kind = (EventNameRow.application == application, EventNameRow.kind == kind)
    existing = await session.exec(
        select(EventNameRow.name).where(*of_kind, col(EventNameRow.name).in_(wanted))
    )
    kept = set(existing.all())
    counted = await session.exec(
        select(func.count()).where(
            *of_kind,
            not_(col(EventNameRow.archived)),
            not_(col(EventNameRow.name).startswith("_", autoescape=True) & (kind == EVENT_TYPE)),
        )
    )
    room = max(0, limit - counted.one())
    new = [name for name in wanted if name not in kept]
    standard = [name for name in new if kind == EVENT_TYPE and name.startswith("_")]
    own = [name for name in new if name not in standard][:room]
    if standard or own:
        await _insert_names(session, application, kind, standard + own)
    return kept.union(standard, own)


async def _insert_names(
    session: AsyncSession, application: str, kind: str, new: Sequence[str]
) -> None:
    now = datetime.now(UTC)
    rows = [
        EventNameRow(
            application=application, kind=kind, name=name, create_time=now, update_time=now
        ).model_dump()
        for name in new
    ]
    await session.exec(insert(EventNameRow).values(rows).on_conflict_do_nothing())


async def event_type(
    session: AsyncSession, application: str, name: str, *, lock: bool = False
) -> EventNameRow:
    """An event type the application has sent."""
    row = await session.get(
        EventNameRow, (application, EVENT_TYPE, name), with_for_update=lock or None
    )
    if row is None:
        raise NotFound(
            "EVENT_TYPE_NOT_FOUND",
            f"{application} has sent no event of type {name}",
            application=application,
            event_type=name,
        )
    return row


async def event_types(
    session: AsyncSession, application: str, after: str, limit: int
) -> Sequence[EventNameRow]:
    """Event types by name, those greater than `after`."""
    found = (
        select(EventNameRow)
        .where(EventNameRow.application == application, EventNameRow.kind == EVENT_TYPE)
        .where(col(EventNameRow.name) > after)
        .order_by(col(EventNameRow.name))
        .limit(limit)
    )
    return (await session.exec(found)).all()


async def event_keys(
    session: AsyncSession, application: str, after: tuple[str, str], limit: int
) -> Sequence[EventNameRow]:
    """Attribute and metric keys by name and kind, those greater than `after`."""
    key = tuple_(col(EventNameRow.name), col(EventNameRow.kind))
    found = (
        select(EventNameRow)
        .where(EventNameRow.application == application, EventNameRow.kind != EVENT_TYPE)
        .where(key > after)
        .order_by(col(EventNameRow.name), col(EventNameRow.kind))
        .limit(limit)
    )
    return (await session.exec(found)).all()


async def funnel(
    session: AsyncSession, application: str, name: str, *, lock: bool = False
) -> FunnelRow:
    """A funnel by its id."""
    row = await session.get(FunnelRow, (application, name), with_for_update=lock or None)
    if row is None:
        raise NotFound(
            "FUNNEL_NOT_FOUND",
            f"applications/{application}/funnels/{name} does not exist",
            application=application,
            funnel=name,
        )
    return row


async def funnels(
    session: AsyncSession, application: str, after: str, limit: int
) -> Sequence[FunnelRow]:
    """Funnels by id, those greater than `after`."""
    found = (
        select(FunnelRow)
        .where(FunnelRow.application == application, col(FunnelRow.funnel) > after)
        .order_by(col(FunnelRow.funnel))
        .limit(limit)
    )
    return (await session.exec(found)).all()


async def add_funnel(session: AsyncSession, row: FunnelRow) -> None:
    """Keep a new funnel."""
    count = await session.exec(select(func.count()).where(FunnelRow.application == row.application))
    if count.one() >= FUNNELS_MAX:
        raise ResourceExhausted(
            "FUNNEL_LIMIT",
            f"{row.application} keeps {FUNNELS_MAX} funnels already",
            application=row.application,
            funnels_max=str(FUNNELS_MAX),
        )
    added = await session.exec(
        insert(FunnelRow)
        .values(**row.model_dump())
        .on_conflict_do_nothing()
        .returning(col(FunnelRow.funnel))
    )
    if added.first() is None:
        raise AlreadyExists(
            "FUNNEL_ALREADY_EXISTS", f"funnel {row.funnel} exists already", funnel=row.funnel
        )


def change_event_type(row: EventNameRow, description: str, archived: bool) -> None:
    """Describe or archive an event type that is locked."""
    row.description = description
    row.archived = archived
    row.revision += 1
    row.update_time = datetime.now(UTC)
