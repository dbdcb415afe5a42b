"""PoolService: open, get, ask, commit, render."""

from functools import partial
from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import pool_pb2
from heliograph.twoway.v1 import pool_service_pb2 as pb
from mesh.aip import pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, locks, names
from twoway.consent import lists
from twoway.originations import choosing
from twoway.originations.identities import Identities
from twoway.pools import following, members, pools, render, store
from twoway.tables import PoolRow, SenderIdRow
from twoway.webhooks import standing
from twoway.webhooks.rules import Webhooks

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1_000


class PoolServicer:
    """The pools of applications."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], webhooks: Webhooks | None = None
    ) -> None:
        self._sessions = sessions
        self._webhooks = webhooks or Webhooks()
        change = partial(pools.change, webhooks=self._webhooks)
        self._held: Identities[PoolRow, pool_pb2.Pool] = Identities(
            names.pool_key, store.get, _rendered, change, following.follow
        )

    async def GetPool(self, request: pb.GetPoolRequest, context: Any) -> pool_pb2.Pool:
        async with self._sessions() as session:
            return await _rendered(session, await store.get(session, request.name))

    async def ListPools(self, request: pb.ListPoolsRequest, context: Any) -> pb.ListPoolsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.page(session, application, after, page.limit)
            counts = await store.counts(session, application, [row.pool for row in rows])
            rows, token = page.cut(rows, key=lambda row: [row.pool])
            found = [render.pool(row, counts.get(row.pool, 0)) for row in rows]
            await standing.tell(session, application, found)
        return pb.ListPoolsResponse(pools=found, next_page_token=token)

    async def CreatePool(self, request: pb.CreatePoolRequest, context: Any) -> pool_pb2.Pool:
        application = names.application_of(request.parent)

        async with self._sessions.begin() as session:

            async def create() -> pool_pb2.Pool:
                await locks.hold_identities(session, application)
                first = await members.get(session, application, request.origination_identity)
                row = _new(application, request, first, self._webhooks)
                await lists.require(session, application, row.opt_out_list)
                await store.add(session, row)
                await members.begin(session, row, first)
                return await _rendered(session, row)

            return await request_ids.once(session, request, application, create)

    async def UpdatePool(self, request: pb.UpdatePoolRequest, context: Any) -> pool_pb2.Pool:
        async with self._sessions.begin() as session:
            return await self._held.update(session, request.update_mask, request.pool)

    async def DeletePool(self, request: pb.DeletePoolRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            row = await self._held.held(session, request.name, request.etag)
            pools.check_deletable(row)
            await following.disband(session, row)
            await store.remove(session, row)
        return Empty()

    async def ListPoolMembers(
        self, request: pb.ListPoolMembersRequest, context: Any
    ) -> pb.ListPoolMembersResponse:
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            found = await store.members(session, await store.get(session, request.name))
        rest = [name for name in found if name > after]
        members_, token = page.cut(rest[: page.limit], key=lambda name: [name])
        return pb.ListPoolMembersResponse(origination_identities=members_, next_page_token=token)

    async def AddPoolMember(self, request: pb.AddPoolMemberRequest, context: Any) -> pool_pb2.Pool:
        async with self._sessions.begin() as session:
            row = await self._held.held(session, request.name)
            identity = await members.get(session, row.application, request.origination_identity)
            await members.join(session, row, identity)
            return await _rendered(session, row)

    async def RemovePoolMember(
        self, request: pb.RemovePoolMemberRequest, context: Any
    ) -> pool_pb2.Pool:
        async with self._sessions.begin() as session:
            row = await self._held.held(session, request.name)
            identity = await members.get(session, row.application, request.origination_identity)
            await members.leave(session, row, identity)
            return await _rendered(session, row)

    async def SelectOriginationIdentity(
        self, request: pb.SelectOriginationIdentityRequest, context: Any
    ) -> pb.SelectOriginationIdentityResponse:
        async with self._sessions() as session:
            return await choosing.choose(session, request)

    async def BatchSelectOriginationIdentities(
        self, request: pb.BatchSelectOriginationIdentitiesRequest, context: Any
    ) -> pb.BatchSelectOriginationIdentitiesResponse:
        async with self._sessions() as session:
            return await choosing.choose_each(session, request)


async def _rendered(session: AsyncSession, row: PoolRow) -> pool_pb2.Pool:
    pool = render.pool(row, await store.count(session, row))
    await standing.tell(session, row.application, [pool])
    return pool


def _new(
    application: str, request: pb.CreatePoolRequest, first: members.Identity, webhooks: Webhooks
) -> PoolRow:
    """The pool that an identity begins, with the settings that the request adds."""
    now = clock.now()
    row = PoolRow(application=application, pool=request.pool_id, create_time=now, update_time=now)
    if isinstance(first, SenderIdRow):
        pools.take_sender_id(row, first)
    else:
        pools.take_number(row, first)
    settings = render.pool(row, 0)
    settings.MergeFrom(request.pool)
    pools.change(row, settings, webhooks)
    return row
