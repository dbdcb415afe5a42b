"""Every statement about opt-out lists and who is on them, apart from the question of consent."""

from collections.abc import Sequence
from datetime import datetime

from mesh.errors import AlreadyExists, FailedPrecondition, NotFound
from sqlalchemy import text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import adding, clock, names
from twoway.tables import (
    DEFAULT_LIST,
    ConsentChangeRow,
    OptedOutNumberRow,
    OptOutListRow,
)

_USER = text(
    " UNION ALL ".join(
        f"(SELECT '{column}' AS kind, {column} AS identity FROM {table}"
        " WHERE application = :application AND opt_out_list = :id LIMIT 1)"
        for table, column in (
            ("phone_numbers", "phone_number"),
            ("pools", "pool"),
            ("sender_ids", "sender_id"),
        )
    )
)


async def ensure_default(session: AsyncSession, application: str) -> None:
    """The list `default` exists in every application; its row is made when first asked for."""
    now = clock.now()
    row = OptOutListRow(
        application=application, opt_out_list=DEFAULT_LIST, create_time=now, update_time=now
    )
    await session.exec(insert(OptOutListRow).values(row.model_dump()).on_conflict_do_nothing())


async def get_list(session: AsyncSession, name: str, *, lock: bool = False) -> OptOutListRow:
    """The list of that name, or NOT_FOUND."""
    key = names.opt_out_list_key(name)
    if key[1] == DEFAULT_LIST:
        await ensure_default(session, key[0])
    row = await session.get(OptOutListRow, key, with_for_update=lock or None)
    if row is None:
        raise NotFound("OPT_OUT_LIST_NOT_FOUND", f"{name} does not exist", opt_out_list=name)
    return row


async def page_lists(
    session: AsyncSession, application: str, after: str, limit: int
) -> Sequence[OptOutListRow]:
    """Lists in the order of their ids."""
    await ensure_default(session, application)
    query = (
        select(OptOutListRow)
        .where(OptOutListRow.application == application, OptOutListRow.opt_out_list > after)
        .order_by(col(OptOutListRow.opt_out_list))
        .limit(limit)
    )
    return (await session.exec(query)).all()


async def add_list(session: AsyncSession, row: OptOutListRow) -> None:
    """A new list; ALREADY_EXISTS when its id is taken, and `default` always is."""
    if row.opt_out_list == DEFAULT_LIST:
        raise _exists(row.opt_out_list)
    await adding.add(session, row, lambda: _exists(row.opt_out_list))


async def remove_list(session: AsyncSession, row: OptOutListRow) -> None:
    """A list with its numbers; refused for `default` and while an identity points to it."""
    name = names.opt_out_list(row.application, row.opt_out_list)
    if row.opt_out_list == DEFAULT_LIST:
        raise FailedPrecondition(
            "DEFAULT_OPT_OUT_LIST", f"{name} cannot be deleted", opt_out_list=name
        )
    values = {"application": row.application, "id": row.opt_out_list}
    user = (await (await session.connection()).execute(_USER, values)).first()
    if user is not None:
        raise FailedPrecondition(
            "OPT_OUT_LIST_IN_USE",
            f"{name} is used by {user.identity}",
            opt_out_list=name,
            **{user.kind: user.identity},
        )
    await session.exec(
        delete(OptedOutNumberRow).where(
            col(OptedOutNumberRow.application) == row.application,
            col(OptedOutNumberRow.opt_out_list) == row.opt_out_list,
        )
    )
    await session.delete(row)


async def numbers(
    session: AsyncSession, application: str, opt_out_list: str, wanted: Sequence[str]
) -> dict[str, OptedOutNumberRow]:
    """Those of the numbers that are on the list."""
    query = select(OptedOutNumberRow).where(
        OptedOutNumberRow.application == application,
        OptedOutNumberRow.opt_out_list == opt_out_list,
        col(OptedOutNumberRow.phone_number).in_(wanted),
    )
    return {row.phone_number: row for row in (await session.exec(query)).all()}


async def page_numbers(
    session: AsyncSession, application: str, opt_out_list: str, after: str, limit: int
) -> Sequence[OptedOutNumberRow]:
    """Numbers of a list in the order of their ids."""
    query = (
        select(OptedOutNumberRow)
        .where(
            OptedOutNumberRow.application == application,
            OptedOutNumberRow.opt_out_list == opt_out_list,
            OptedOutNumberRow.phone_number > after,
        )
        .order_by(col(OptedOutNumberRow.phone_number))
        .limit(limit)
    )
    return (await session.exec(query)).all()


async def page_changes(
    session: AsyncSession,
    application: str,
    opt_out_list: str,
    phone_number: str,
    before: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[ConsentChangeRow]:
    """The record, newest first; of one list or one person, if given."""
    row = ConsentChangeRow
    query = select(row).where(row.application == application)
    if opt_out_list:
        query = query.where(row.opt_out_list == opt_out_list)
    if phone_number:
        query = query.where(row.phone_number == phone_number)
    key = tuple_(col(row.change_time), col(row.consent_change))
    if before is not None:
        query = query.where(key < before)
    query = query.order_by(col(row.change_time).desc(), col(row.consent_change).desc())
    return (await session.exec(query.limit(limit))).all()


def _exists(list_id: str) -> AlreadyExists:
    return AlreadyExists(
        "OPT_OUT_LIST_EXISTS", f"the list {list_id} exists already", opt_out_list=list_id
    )
