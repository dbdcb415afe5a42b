"""Requests that are safe to repeat (AIP-155): the first answer is stored and given again."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from google.protobuf import any_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from mesh.aip.tables import now, timestamp
from mesh.errors import InvalidArgument
from mesh.errors.refusals import invalid
from mesh.store import indexes, tables
from mesh.store.purging import Purge
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

Response = TypeVar("Response", bound=Message)

metadata = tables.metadata()


class RequestIdRow(SQLModel, table=True):
    """One request id that was seen, by application and method, with what was answered."""

    __tablename__ = "request_ids"
    metadata = metadata

    application: str = Field(primary_key=True)
    method: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True)
    checksum: bytes
    response: bytes = b""
    create_time: datetime = timestamp()


indexed_metadata = tables.metadata()
"""The table with the index that `aged` needs, for services with many request ids."""

sa.Index(None, metadata.tables["request_ids"].to_metadata(indexed_metadata).c.create_time)


async def once(
    session: AsyncSession,
    request: Message,
    application: str,
    answer: Callable[[], Awaitable[Response]],
) -> Response:
    """The answer to `request`, made by `answer` the first time and read from the table after.

    Works inside the caller's transaction: if that rolls back, the request was never seen. A second
    request with the same id waits for the first one's transaction. A request without `request_id`
    is simply answered. The same id with a different request is refused (REQUEST_ID_REUSED).
    """
    if not request.request_id:  # type: ignore[attr-defined]
        return await answer()
    stored = await _claim(session, request, application)
    if stored is not None:
        return stored  # type: ignore[return-value]
    response = await answer()
    await _store(session, request, application, response)
    return response


async def answered(
    session: AsyncSession, request: Message, application: str, kind: type[Response]
) -> Response | None:
    """What `request` was answered when it came before: for what must be done ahead of the
    transaction of `once`, and not again. The same id with a different request is refused."""
    if not request.request_id:  # type: ignore[attr-defined]
        return None
    stored = await _stored(session, request, application)
    assert stored is None or isinstance(stored, kind)
    return stored


async def purge(session: AsyncSession, older_than: timedelta) -> None:
    """Forget the request ids seen before; after this they would be taken for new ones."""
    await session.exec(
        delete(RequestIdRow).where(col(RequestIdRow.create_time) < now() - older_than)
    )


def aged(kept: timedelta) -> Purge:
    """The same in batches; needs the index of `create_index`."""
    return Purge("request_ids", "create_time < :before", kept)


def create_index(op: Any) -> None:
    """The index by age, for a migration outside a transaction."""
    indexes.create(op, "request_ids_create_time_idx", "request_ids (create_time)")


def create_table(op: Any) -> None:
    """The first form of the table, for a migration; `op` is alembic's."""
    op.create_table(
        "request_ids",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("method", sa.String(), primary_key=True),
        sa.Column("request_id", sa.String(), primary_key=True),
        sa.Column("checksum", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )


def drop_table(op: Any) -> None:
    """Undo `create_table`."""
    op.drop_table("request_ids")


async def _claim(session: AsyncSession, request: Message, application: str) -> Message | None:
    key = _key(request, application)
    claim = insert(RequestIdRow).values(
        **key, checksum=_checksum(request), response=b"", create_time=now()
    )
    claimed = await session.exec(
        claim.on_conflict_do_nothing().returning(col(RequestIdRow.request_id))
    )
    if claimed.first() is not None:
        return None
    return await _stored(session, request, application)


async def _stored(session: AsyncSession, request: Message, application: str) -> Message | None:
    key = _key(request, application)
    row = (await session.exec(select(RequestIdRow).filter_by(**key))).one_or_none()
    if row is not None and row.checksum != _checksum(request):
        raise reused(key["request_id"])
    return None if row is None else _unpack(row.response)


async def _store(
    session: AsyncSession, request: Message, application: str, response: Message
) -> None:
    packed = any_pb2.Any()
    packed.Pack(response)
    key = _key(request, application)
    await session.exec(
        update(RequestIdRow).filter_by(**key).values(response=packed.SerializeToString())
    )


def _key(request: Message, application: str) -> dict[str, str]:
    return {
        "application": application,
        "method": request.DESCRIPTOR.full_name,
        "request_id": request.request_id,  # type: ignore[attr-defined]
    }


def _checksum(request: Message) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def _unpack(stored: bytes) -> Message:
    packed = any_pb2.Any.FromString(stored)
    pool = descriptor_pool.Default()
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(packed.TypeName()))
    return kind.FromString(packed.value)


def reused(request_id: str) -> InvalidArgument:
    """The refusal of an id that was used for another request."""
    description = f"{request_id} was used for a different request"
    return invalid("REQUEST_ID_REUSED", "request_id", description, request_id=request_id)
