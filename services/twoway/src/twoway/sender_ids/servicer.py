"""SenderIdService: open, get, ask, commit, render."""

from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import sender_id_pb2
from heliograph.twoway.v1 import sender_id_service_pb2 as pb
from mesh.aip import pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, clock, names
from twoway.consent import lists
from twoway.originations.identities import Identities
from twoway.pools import following, members
from twoway.sender_ids import render, sender_ids, store
from twoway.tables import SenderIdRow

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1_000


class SenderIdServicer:
    """The sender ids of applications."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def GetSenderId(
        self, request: pb.GetSenderIdRequest, context: Any
    ) -> sender_id_pb2.SenderId:
        async with self._sessions() as session:
            return await _rendered(session, await store.get(session, request.name))

    async def ListSenderIds(
        self, request: pb.ListSenderIdsRequest, context: Any
    ) -> pb.ListSenderIdsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.page(session, application, after, page.limit)
            pools = await store.pools(session, application, [row.sender_id for row in rows])
        rows, token = page.cut(rows, key=lambda row: [row.sender_id])
        return pb.ListSenderIdsResponse(
            sender_ids=[render.sender_id(row, pools.get(row.sender_id, ())) for row in rows],
            next_page_token=token,
        )

    async def CreateSenderId(
        self, request: pb.CreateSenderIdRequest, context: Any
    ) -> sender_id_pb2.SenderId:
        application, now = names.application_of(request.parent), clock.now()
        country, name = sender_ids.parts_of(request.sender_id_id)
        row = SenderIdRow(
            application=application,
            sender_id=request.sender_id_id,
            address=addresses.canonical(name),
            country_code=country,
            create_time=now,
            update_time=now,
        )
        sender_ids.change(row, request.sender_id)

        async with self._sessions.begin() as session:

            async def create() -> sender_id_pb2.SenderId:
                await lists.require(session, application, row.opt_out_list)
                await store.add(session, row)
                return render.sender_id(row, ())

            return await request_ids.once(session, request, application, create)

    async def UpdateSenderId(
        self, request: pb.UpdateSenderIdRequest, context: Any
    ) -> sender_id_pb2.SenderId:
        async with self._sessions.begin() as session:
            return await _SENDER_IDS.update(session, request.update_mask, request.sender_id)

    async def DeleteSenderId(self, request: pb.DeleteSenderIdRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            row = await _SENDER_IDS.held(session, request.name, request.etag)
            sender_ids.check_deletable(row)
            await members.release_sender_id(session, row)
            await session.delete(row)
        return Empty()


async def _rendered(session: AsyncSession, row: SenderIdRow) -> sender_id_pb2.SenderId:
    return render.sender_id(row, await store.pools_of(session, row))


_SENDER_IDS = Identities(
    names.sender_id_key, store.get, _rendered, sender_ids.change, following.check_update
)
