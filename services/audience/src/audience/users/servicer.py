"""UserService: open, get, ask, publish, commit, render."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from google.longrunning import operations_pb2
from heliograph.audience.v1 import endpoint_pb2, user_service_pb2
from heliograph.audience.v1 import user_pb2 as pb
from mesh.aip import etags, field_masks, pagination, request_ids
from mesh.errors import Error, FailedPrecondition, NotFound
from mesh.store import engine
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.applications.directory import Directory
from audience.endpoints import checks, locks, rendering
from audience.endpoints import queries as endpoint_queries
from audience.endpoints import store as endpoint_store
from audience.endpoints.announcing import announce
from audience.endpoints.patches import Patch
from audience.endpoints.queries import Pool
from audience.endpoints.states import Attributes
from audience.endpoints.writing import write_few
from audience.persons import deletion, erased, hashes
from audience.users import profiles, queries, store
from audience.users.rendering import user

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1000


class UserServicer:
    """The people behind endpoints. `erased` is called when one was deleted."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        pool: Pool,
        directory: Directory,
        now: Callable[[], datetime],
        erased: Callable[[], None] = lambda: None,
    ) -> None:
        self._sessions = sessions
        self._pool = pool
        self._directory = directory
        self._now = now
        self._erased = erased

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, context: Any
    ) -> pb.UserProfile:
        application, user_id = names.user_of(request.name)
        return await self._read(self._pool, application, user_id)

    async def ListUsers(
        self, request: user_service_pb2.ListUsersRequest, context: Any
    ) -> user_service_pb2.ListUsersResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        rows = await queries.page(self._pool, application, after=after, limit=page.limit)
        await self._directory.require_for(application, rows, page)
        rows, token = page.cut(rows, key=lambda profile: [profile.user_id])
        user_ids = [profile.user_id for profile in rows]
        counts = await queries.endpoint_counts(self._pool, application, user_ids)
        return user_service_pb2.ListUsersResponse(
            users=[user(application, one.user_id, one, counts.get(one.user_id, 0)) for one in rows],
            next_page_token=token,
        )

    async def UpdateUser(
        self, request: user_service_pb2.UpdateUserRequest, context: Any
    ) -> pb.UserProfile:
        application, user_id = names.user_of(request.user.name, field="user.name")
        await self._directory.require(application)
        supplied, replaced = _supplied(request)
        checks.check(Patch(endpoint="-", user_id=user_id, user_attributes=supplied))
        async with self._sessions.begin() as session:
            connection = await engine.raw(session)
            await locks.lock_shared(connection, application)
            await locks.lock(connection, application, "user", [user_id])
            await erased.refuse_user(connection, application, user_id)
            before = (await store.read(connection, application, [user_id])).get(user_id)
            if before is None and not request.allow_missing:
                await self._read(connection, application, user_id)
            etags.check(before.revision if before else 0, request.user.etag)
            after = profiles.merge(before, user_id, supplied, self._now(), replaced=replaced)
            await store.upsert(connection, [profiles.record(application, after)])
            return await self._read(connection, application, user_id)

    async def DeleteUser(
        self, request: user_service_pb2.DeleteUserRequest, context: Any
    ) -> operations_pb2.Operation:
        application, user_id = names.user_of(request.name)
        await self._directory.require(application)
        if not request.forget_erasure and not hashes.has_key():
            raise erased.missing_key()

        async def answer() -> operations_pb2.Operation:
            return await deletion.delete(session, application, request, user_id, self._now)

        async with self._sessions.begin() as session:
            operation = await request_ids.once(session, request, application, answer)
        self._erased()
        return operation

    async def ListUserEndpoints(
        self, request: user_service_pb2.ListUserEndpointsRequest, context: Any
    ) -> user_service_pb2.ListUserEndpointsResponse:
        application, user_id = names.user_of(request.parent, field="parent")
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        rows = await endpoint_queries.page_of_user(
            self._pool,
            application,
            user_id,
            after=str(page.after[0]) if page.after else "",
            limit=page.limit,
        )
        await self._directory.require_for(application, rows, page)
        rows, token = page.cut(rows, key=lambda row: [row[0]])
        return user_service_pb2.ListUserEndpointsResponse(
            endpoints=[rendering.message(application, row) for row in rows], next_page_token=token
        )

    async def LinkEndpoint(
        self, request: user_service_pb2.LinkEndpointRequest, context: Any
    ) -> endpoint_pb2.Endpoint:
        application, user_id = names.user_of(request.name)
        return await self._relink(application, request.endpoint, user_id)

    async def UnlinkEndpoint(
        self, request: user_service_pb2.UnlinkEndpointRequest, context: Any
    ) -> endpoint_pb2.Endpoint:
        application, user_id = names.user_of(request.name)
        return await self._relink(application, request.endpoint, "", leaving=user_id)

    async def _relink(
        self, application: str, name: str, user_id: str, *, leaving: str = ""
    ) -> endpoint_pb2.Endpoint:
        owner, endpoint = names.endpoint_of(name, field="endpoint")
        names.refuse_mismatch(application, owner, "endpoint")
        patch = Patch(endpoint=endpoint, user_id=user_id, update_only=True, keeps_status=True)
        checks.check(patch)
        async with self._sessions.begin() as session:
            connection, now = await engine.raw(session), self._now()
            if leaving:
                await _require_link(connection, application, endpoint, leaving)
            batch, (outcome,) = await write_few(connection, application, [patch], now)
            if isinstance(outcome, Error):
                raise outcome
            announce(session, application, batch, now, "api")
            profile = batch.user_of(outcome)
        return rendering.written(application, outcome, profile.attributes if profile else {})

    async def _read(self, connection: Any, application: str, user_id: str) -> pb.UserProfile:
        found = await store.read(connection, application, [user_id])
        counts = await queries.endpoint_counts(connection, application, [user_id])
        if not found and not counts:
            name = f"applications/{application}/users/{user_id}"
            raise NotFound("USER_NOT_FOUND", f"{name} does not exist", user=name)
        return user(application, user_id, found.get(user_id), counts.get(user_id, 0))


def _supplied(request: user_service_pb2.UpdateUserRequest) -> tuple[Attributes, bool]:
    """The attributes a request supplies, empty for one to remove, and whether they replace all."""
    given = {name: list(values.values) for name, values in request.user.attributes.items()}
    if not request.update_mask.paths:
        return given, False
    paths = field_masks.effective(request.update_mask, request.user)
    if "attributes" in paths:
        return given, True
    wanted = [path.partition(".")[2] for path in paths if path.startswith("attributes.")]
    return {name: given.get(name, []) for name in wanted}, False


async def _require_link(connection: Any, application: str, endpoint: str, user_id: str) -> None:
    """Refuse to take an endpoint from a user that has not got it; it stays locked."""
    await locks.lock_shared(connection, application)
    await locks.lock(connection, application, "endpoint", [endpoint])
    found = await endpoint_store.read(connection, application, [endpoint])
    if endpoint in found and found[endpoint].user_id != user_id:
        raise FailedPrecondition(
            "ENDPOINT_NOT_LINKED",
            f"endpoint {endpoint} does not belong to user {user_id}",
            endpoint=endpoint,
            user=user_id,
        )
