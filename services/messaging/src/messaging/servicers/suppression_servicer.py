"""heliograph.messaging.v1.SuppressionService."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import suppression_service_pb2 as rpc
from heliograph.messaging.v1.suppression_pb2 import Suppression
from mesh.aip import pagination, request_ids, resource_names
from mesh.errors import Error, NotFound
from mesh.errors.refusals import invalid
from mesh.rpc import status
from mesh.telemetry import masking
from sqlalchemy import func, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from messaging import addresses, names, render
from messaging.suppressions import id_for
from messaging.tables import SuppressionRow

DOMAIN = rpc.DESCRIPTOR.package


class SuppressionServicer:
    """The addresses that get nothing more."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def GetSuppression(self, request: rpc.GetSuppressionRequest, context: Any) -> Suppression:
        async with self._sessions() as session:
            return render.suppression(await _get(session, request.name))

    async def ListSuppressions(
        self, request: rpc.ListSuppressionsRequest, context: Any
    ) -> rpc.ListSuppressionsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, default_size=100, max_size=1000)
        query = select(SuppressionRow).where(SuppressionRow.application == application)
        if request.address:
            query = query.where(SuppressionRow.address == _normalized(request))
        if request.channel_type:
            query = query.where(SuppressionRow.channel_type == request.channel_type)
        key = tuple_(col(SuppressionRow.create_time), col(SuppressionRow.id))
        if page.after is not None:
            time, last = page.after
            query = query.where(key < tuple_(datetime.fromisoformat(str(time)), last))
        query = query.order_by(
            col(SuppressionRow.create_time).desc(), col(SuppressionRow.id).desc()
        )
        async with self._sessions() as session:
            rows = (await session.exec(query.limit(page.limit))).all()
        rows, token = page.cut(rows, key=lambda row: [row.create_time.isoformat(), row.id])
        return rpc.ListSuppressionsResponse(
            suppressions=[render.suppression(row) for row in rows], next_page_token=token
        )

    async def CreateSuppression(
        self, request: rpc.CreateSuppressionRequest, context: Any
    ) -> Suppression:
        application = names.application_of(request.parent)
        row = _row(application, request.suppression, "suppression")
        async with self._sessions.begin() as session:

            async def create() -> Suppression:
                kept = await _keep(session, application, [row])
                return render.suppression(kept[row.id])

            return await request_ids.once(session, request, application, create)

    async def DeleteSuppression(self, request: rpc.DeleteSuppressionRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            await session.delete(await _get(session, request.name, lock=True))
        return Empty()

    async def BatchCreateSuppressions(
        self, request: rpc.BatchCreateSuppressionsRequest, context: Any
    ) -> rpc.BatchCreateSuppressionsResponse:
        application = names.application_of(request.parent)
        judged = [
            _judged(application, suppression, f"suppressions[{index}]")
            for index, suppression in enumerate(request.suppressions)
        ]
        rows = [row for row in judged if isinstance(row, SuppressionRow)]
        async with self._sessions.begin() as session:

            async def create() -> rpc.BatchCreateSuppressionsResponse:
                kept = await _keep(session, application, rows) if rows else {}
                return rpc.BatchCreateSuppressionsResponse(
                    results=[_result(one, kept) for one in judged]
                )

            return await request_ids.once(session, request, application, create)


async def _get(session: AsyncSession, name: str, *, lock: bool = False) -> SuppressionRow:
    ids = resource_names.parse(names.SUPPRESSION, name)
    key = (ids["application"], ids["suppression"])
    row = await session.get(SuppressionRow, key, with_for_update=lock or None)
    if row is None:
        raise NotFound("SUPPRESSION_NOT_FOUND", f"{name} does not exist", suppression=name)
    return row


async def _keep(
    session: AsyncSession, application: str, rows: list[SuppressionRow]
) -> dict[str, SuppressionRow]:
    """Enters what is not there, or is over; what is in the list then, by id."""
    by_id = {row.id: row.model_dump() for row in rows}
    entry = insert(SuppressionRow).values(list(by_id.values()))
    renewed = {name: entry.excluded[name] for name in next(iter(by_id.values()))}
    over = col(SuppressionRow.expire_time) < func.now()
    await session.exec(
        entry.on_conflict_do_update(index_elements=["application", "id"], set_=renewed, where=over)
    )
    query = select(SuppressionRow).where(
        SuppressionRow.application == application, col(SuppressionRow.id).in_(by_id)
    )
    return {row.id: row for row in (await session.exec(query)).all()}


def _judged(application: str, given: Suppression, field: str) -> SuppressionRow | Error:
    try:
        return _row(application, given, field)
    except Error as error:
        return error


def _row(application: str, given: Suppression, field: str) -> SuppressionRow:
    address = _address(given.channel_type, given.address, f"{field}.address")
    return SuppressionRow(
        application=application,
        id=id_for(given.channel_type, address),
        address=address,
        channel_type=given.channel_type,
        cause=given.cause or Suppression.MANUAL,
        note=given.note,
        expire_time=given.expire_time.ToDatetime(UTC) if given.HasField("expire_time") else None,
    )


def _address(channel_type: ChannelType.ValueType, given: str, field: str) -> str:
    """The address as messages are compared with it. Without a channel it may be of any kind."""
    kinds = [channel_type] if channel_type else [ChannelType.SMS, ChannelType.EMAIL]
    for kind in kinds:
        address = addresses.normalize(kind, given)
        if address is not None:
            return address
    if channel_type or not given:
        masked = masking.address(given)
        description = f"{masked} is not an address of its channel"
        raise invalid("ADDRESS_INVALID", field, description, address=masked)
    return given


def _normalized(request: rpc.ListSuppressionsRequest) -> str:
    return _address(request.channel_type, request.address, "address")


def _result(
    judged: SuppressionRow | Error, kept: dict[str, SuppressionRow]
) -> rpc.BatchCreateSuppressionsResponse.Result:
    if isinstance(judged, Error):
        return rpc.BatchCreateSuppressionsResponse.Result(error=status.from_error(judged, DOMAIN))
    return rpc.BatchCreateSuppressionsResponse.Result(
        suppression=render.suppression(kept[judged.id])
    )
