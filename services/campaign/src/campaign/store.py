"""Every SQL statement of this service."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from mesh.errors import AlreadyExists, NotFound
from sqlalchemy import ColumnElement, not_, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import names
from campaign.tables import CampaignRow, CampaignVersionRow, RunRow


async def get(session: AsyncSession, name: str, *, lock: bool = False) -> CampaignRow:
    """A campaign by name."""
    key = names.campaign_key(name)
    row = await session.get(CampaignRow, key, with_for_update=lock or None)
    if row is None:
        raise NotFound("CAMPAIGN_NOT_FOUND", f"{name} does not exist", campaign=name)
    return row


async def add(session: AsyncSession, row: CampaignRow) -> None:
    """A new campaign, with its first version."""
    statement = (
        insert(CampaignRow)
        .values(**row.model_dump())
        .on_conflict_do_nothing()
        .returning(col(CampaignRow.campaign))
    )
    if (await session.exec(statement)).first() is None:
        name = names.campaign_name(row)
        raise AlreadyExists("CAMPAIGN_EXISTS", f"{name} exists already", campaign=name)
    add_version(session, row)


def add_version(session: AsyncSession, row: CampaignRow) -> None:
    """Keep the campaign as it is now as its latest version."""
    session.add(
        CampaignVersionRow(
            application=row.application,
            campaign=row.campaign,
            version=row.version,
            definition=row.definition,
            create_time=row.update_time,
        )
    )


async def delete(session: AsyncSession, row: CampaignRow) -> None:
    """Delete a campaign with its versions and runs."""
    await session.delete(row)


async def page(
    session: AsyncSession, application: str, state: str, after: str, limit: int
) -> Sequence[CampaignRow]:
    """Campaigns by id, in one state or in any."""
    statement = (
        select(CampaignRow)
        .where(CampaignRow.application == application, CampaignRow.campaign > after)
        .order_by(col(CampaignRow.campaign))
        .limit(limit)
    )
    if state:
        statement = statement.where(CampaignRow.state == state)
    return (await session.exec(statement)).all()


async def get_version(session: AsyncSession, name: str) -> CampaignVersionRow:
    """A campaign as of one version, by name."""
    row = await session.get(CampaignVersionRow, names.version_key(name))
    if row is None:
        raise NotFound("CAMPAIGN_VERSION_NOT_FOUND", f"{name} does not exist", version=name)
    return row


async def versions(
    session: AsyncSession, application: str, campaign: str, before: int, limit: int
) -> Sequence[CampaignVersionRow]:
    """A campaign's versions older than `before`, newest first."""
    return (
        await session.exec(
            select(CampaignVersionRow)
            .where(
                CampaignVersionRow.application == application,
                CampaignVersionRow.campaign == campaign,
                CampaignVersionRow.version < before,
            )
            .order_by(col(CampaignVersionRow.version).desc())
            .limit(limit)
        )
    ).all()


async def lock_due(session: AsyncSession, now: datetime, limit: int) -> Sequence[CampaignRow]:
    """Campaigns whose run is due, locked; those another replica holds are left to it."""
    return (
        await session.exec(
            select(CampaignRow)
            .where(*_due(now))
            .order_by(col(CampaignRow.next_run_time))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()


async def waiting(session: AsyncSession, now: datetime) -> tuple[bool, bool, bool, bool]:
    """Whether there is a campaign that is due, a run that nobody sends, one with a pace that nobody
    sends, and one that nobody closes."""
    asked = (
        select(CampaignRow.campaign).where(*_due(now)),
        select(RunRow.run).where(*_free("FANNING_OUT", now, paced=False)),
        select(RunRow.run).where(*_free("FANNING_OUT", now, paced=True)),
        select(RunRow.run).where(*_free("SENDING", now, paced=None)),
    )
    statement: Any = select(*(one.exists() for one in asked))
    due, sending, paced, closing = (await session.exec(statement)).one()
    return due, sending, paced, closing


def _due(now: datetime) -> list[ColumnElement[bool]]:
    return [col(CampaignRow.state) == "SCHEDULED", col(CampaignRow.next_run_time) <= now]


def _free(state: str, now: datetime, paced: bool | None) -> list[ColumnElement[bool]]:
    """What makes a run one that anybody may take."""
    is_paced = col(RunRow.messages_per_second) > 0
    kind = [] if paced is None else [is_paced if paced else not_(is_paced)]
    return [col(RunRow.state) == state, col(RunRow.lease_time) <= now, *kind]


async def next_due(session: AsyncSession) -> datetime | None:
    """When the next run of any campaign is due."""
    statement = (
        select(col(CampaignRow.next_run_time))
        .where(CampaignRow.state == "SCHEDULED")
        .order_by(col(CampaignRow.next_run_time))
        .limit(1)
    )
    return (await session.exec(statement)).first()


async def get_run(session: AsyncSession, name: str, *, lock: bool = False) -> RunRow:
    """A run by name."""
    row = await session.get(RunRow, names.run_key(name), with_for_update=lock or None)
    if row is None:
        raise NotFound("RUN_NOT_FOUND", f"{name} does not exist", run=name)
    return row


async def latest_run(session: AsyncSession, row: CampaignRow, *, lock: bool) -> RunRow | None:
    """The campaign's latest run, if it has run."""
    key = (row.application, row.campaign, row.latest_run)
    return await session.get(RunRow, key, with_for_update=lock or None)


async def runs(
    session: AsyncSession, application: str, campaign: str, before: str, limit: int
) -> Sequence[RunRow]:
    """A campaign's runs earlier than `before`, newest first; ids sort by time."""
    statement = (
        select(RunRow)
        .where(RunRow.application == application, RunRow.campaign == campaign)
        .order_by(col(RunRow.run).desc())
        .limit(limit)
    )
    if before:
        statement = statement.where(RunRow.run < before)
    return (await session.exec(statement)).all()


async def has_daily_max(session: AsyncSession, application: str) -> bool:
    """Whether a campaign of the application has a daily limit of its own."""
    statement = (
        select(CampaignRow.campaign)
        .where(CampaignRow.application == application, col(CampaignRow.daily_max) > 0)
        .limit(1)
    )
    return (await session.exec(statement)).first() is not None


async def take_run(
    session: AsyncSession,
    state: str,
    worker: str,
    now: datetime,
    lease: timedelta,
    *,
    paced: bool | None = None,
) -> RunRow | None:
    """Take over the run in `state` that has waited longest and that nobody holds.

    `paced` narrows it to runs with, or without, a number of messages per second.
    """
    key = (col(RunRow.application), col(RunRow.campaign), col(RunRow.run))
    free = (
        select(*key)
        .where(*_free(state, now, paced))
        .order_by(col(RunRow.lease_time))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(RunRow)
        .where(tuple_(*key).in_(free))
        .values(worker=worker, lease_time=now + lease)
        .returning(RunRow)
    )
    return (await session.exec(statement)).scalars().first()


async def advance(
    session: AsyncSession, run: RunRow, cursor: str, members: int, lease_time: datetime
) -> bool:
    """Move the cursor past a page; false when the run is no longer this worker's to send."""
    return await _update_held(
        session,
        run,
        cursor=cursor,
        members=col(RunRow.members) + members,
        lease_time=lease_time,
    )


async def keep_rules(session: AsyncSession, run: RunRow) -> bool:
    """Write down what limits a held run."""
    return await _update_held(
        session, run, rules=run.rules, messages_per_second=run.messages_per_second
    )


async def release(session: AsyncSession, run: RunRow, lease_time: datetime) -> bool:
    """Give a run back, not to be taken before `lease_time`."""
    return await _update_held(session, run, worker="", lease_time=lease_time)


async def leave(session: AsyncSession, run: RunRow, state: str, lease_time: datetime) -> bool:
    """Move a held run to its next state and give it back."""
    return await _update_held(session, run, state=state, worker="", lease_time=lease_time)


async def _update_held(session: AsyncSession, run: RunRow, **values: object) -> bool:
    statement = (
        update(RunRow)
        .where(
            col(RunRow.application) == run.application,
            col(RunRow.campaign) == run.campaign,
            col(RunRow.run) == run.run,
            col(RunRow.worker) == run.worker,
            col(RunRow.state) == run.state,
        )
        .values(**values)
    )
    return (await session.exec(statement)).rowcount == 1


async def stop_application(session: AsyncSession, application: str) -> None:
    """Cancel what an application has under way, campaigns before runs as everywhere."""
    await session.exec(
        update(CampaignRow)
        .where(
            col(CampaignRow.application) == application,
            col(CampaignRow.state).in_(("SCHEDULED", "RUNNING", "PAUSED")),
        )
        .values(state="CANCELLED", next_run_time=None)
    )
    await session.exec(
        update(RunRow)
        .where(
            col(RunRow.application) == application,
            col(RunRow.state).in_(("FANNING_OUT", "SENDING", "PAUSED")),
        )
        .values(state="CANCELLED", worker="")
    )
