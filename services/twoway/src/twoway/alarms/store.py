"""Every statement about alarms and where they stand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mesh.errors import AlreadyExists, NotFound, ResourceExhausted
from sqlmodel import col, delete, func, select, tuple_
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import adding, locks, names
from twoway.alarms.deciding import PENDING
from twoway.alarms.tables import OptOutAlarmRow, OptOutAlarmStateRow

ALARMS_MAX: Final = 100
STATES_MAX: Final = 100

Key = tuple[str, str]
"""Application and id of an alarm."""


async def get(session: AsyncSession, name: str, *, lock: bool = False) -> OptOutAlarmRow:
    """The alarm of that name, or NOT_FOUND."""
    row = await session.get(OptOutAlarmRow, names.opt_out_alarm_key(name), with_for_update=lock)
    if row is None:
        message = f"{name} does not exist"
        raise NotFound("OPT_OUT_ALARM_NOT_FOUND", message, opt_out_alarm=name)
    return row


async def page(
    session: AsyncSession, application: str, after: str, limit: int
) -> Sequence[OptOutAlarmRow]:
    """Alarms in the order of their ids."""
    row = OptOutAlarmRow
    query = select(row).where(row.application == application, row.opt_out_alarm > after)
    return (await session.exec(query.order_by(col(row.opt_out_alarm)).limit(limit))).all()


async def add(session: AsyncSession, row: OptOutAlarmRow) -> None:
    """A new alarm; refused where its id is taken, or there are too many."""
    await locks.hold_identities(session, row.application)
    query = select(func.count()).where(col(OptOutAlarmRow.application) == row.application)
    if (await session.exec(query)).one() >= ALARMS_MAX:
        message = f"an application has at most {ALARMS_MAX} alarms"
        raise ResourceExhausted("TOO_MANY_OPT_OUT_ALARMS", message)
    name = names.opt_out_alarm(row.application, row.opt_out_alarm)
    taken = AlreadyExists("OPT_OUT_ALARM_EXISTS", f"{name} exists already", opt_out_alarm=name)
    await adding.add(session, row, lambda: taken)


async def states(
    session: AsyncSession, keys: Sequence[Key]
) -> dict[Key, list[OptOutAlarmStateRow]]:
    """Where alarms stand with campaigns: those in alarm first, then the latest, so many of each."""
    row = OptOutAlarmStateRow
    place = func.row_number().over(
        partition_by=(col(row.application), col(row.opt_out_alarm)),
        order_by=(col(row.state), col(row.state_time).desc(), col(row.campaign)),
    )
    ranked = select(row.application, row.opt_out_alarm, row.campaign, place.label("place")).where(
        tuple_(col(row.application), col(row.opt_out_alarm)).in_(keys)
    )
    best = ranked.subquery()
    query = (
        select(row)
        .join(
            best,
            (best.c.application == row.application)
            & (best.c.opt_out_alarm == row.opt_out_alarm)
            & (best.c.campaign == row.campaign),
        )
        .where(best.c.place <= STATES_MAX)
        .order_by(best.c.place)
    )
    found: dict[Key, list[OptOutAlarmStateRow]] = {key: [] for key in keys}
    for one in (await session.exec(query)).all():
        found[(one.application, one.opt_out_alarm)].append(one)
    return found


async def forget(session: AsyncSession, row: OptOutAlarmRow, campaign: str = "") -> None:
    """Where it stood with campaigns other than that one."""
    state = OptOutAlarmStateRow
    await session.exec(
        delete(state).where(
            col(state.application) == row.application,
            col(state.opt_out_alarm) == row.opt_out_alarm,
            col(state.campaign) != campaign,
        )
    )


async def claim_due(
    session: AsyncSession, now: datetime, until: datetime, limit: int
) -> Sequence[OptOutAlarmRow]:
    """Alarms that it is time to look at; nobody else does before `until`."""
    due = col(OptOutAlarmRow.check_time)
    query = select(OptOutAlarmRow).where(due <= now).order_by(due).limit(limit)
    rows = (await session.exec(query.with_for_update(skip_locked=True))).all()
    for row in rows:
        row.check_time = until
    return rows


async def claim_pauses(
    session: AsyncSession, now: datetime, until: datetime, limit: int
) -> Sequence[OptOutAlarmStateRow]:
    """Campaigns that are to be paused; nobody else asks before `until`."""
    row = OptOutAlarmStateRow
    query = select(row).where(row.pause == PENDING, col(row.pause_time) <= now)
    query = query.order_by(col(row.pause_time)).limit(limit)
    rows = (await session.exec(query.with_for_update(skip_locked=True))).all()
    for one in rows:
        one.pause_time = until
    return rows
