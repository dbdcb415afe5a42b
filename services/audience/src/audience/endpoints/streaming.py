"""A client's stream of endpoints, written in large sets; what is refused is counted and named."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from heliograph.audience.v1 import endpoint_pb2 as pb
from heliograph.audience.v1 import endpoint_service_pb2 as service_pb
from mesh.errors import Error
from mesh.rpc import status
from mesh.store import engine
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.applications.directory import Directory
from audience.endpoints import addresses, checks, reading
from audience.endpoints.announcing import announce
from audience.endpoints.patches import Patch
from audience.endpoints.prepared import Prepared
from audience.endpoints.writing import write_many

SET_SIZE: Final = 2000
REFUSALS_MAX: Final = 1000


class Stream:
    """One call's stream. Small messages are gathered into sets of `SET_SIZE`."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        directory: Directory,
        now: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._directory = directory
        self._now = now
        self._application = ""
        self._country = ""
        self._patches: list[Patch] = []
        self._indexes: list[int] = []
        self._seen = 0
        self._response = service_pb.StreamUpdateEndpointsResponse()

    async def take(self, request: service_pb.StreamUpdateEndpointsRequest) -> None:
        """Read one message; write when there are enough endpoints for a set."""
        application = names.application_of(request.parent)
        self._application = self._application or application
        names.refuse_mismatch(self._application, application, "parent")
        self._country = await self._directory.country(application)
        await asyncio.to_thread(self._read, request)
        if len(self._patches) >= SET_SIZE:
            await self._write()

    async def finish(self) -> service_pb.StreamUpdateEndpointsResponse:
        """Write the rest; the answer to the stream."""
        if self._patches:
            await self._write()
        return self._response

    def _read(self, request: service_pb.StreamUpdateEndpointsRequest) -> None:
        for endpoint in request.endpoints:
            index = self._seen
            self._seen += 1
            try:
                owner, endpoint_id = names.endpoint_of(endpoint.name)
                names.refuse_mismatch(self._application, owner, "name")
                patch = addresses.dialled(reading.supplied(endpoint_id, endpoint), self._country)
                checks.check(patch)
            except Error as error:
                self._refuse(index, endpoint.name, error)
                continue
            self._patches.append(patch)
            self._indexes.append(index)

    async def _write(self) -> None:
        patches, indexes = self._patches, self._indexes
        self._patches, self._indexes = [], []
        now = self._now()
        prepared = await asyncio.to_thread(Prepared, self._application, patches, now)
        async with self._sessions.begin() as session:
            batch, outcomes = await write_many(await engine.raw(session), prepared)
            announce(session, self._application, batch, now, "api")
        for index, patch, outcome in zip(indexes, patches, outcomes, strict=True):
            if isinstance(outcome, Error):
                name = f"applications/{self._application}/endpoints/{patch.endpoint}"
                self._refuse(index, name, outcome)
            else:
                self._response.written_count += 1

    def _refuse(self, index: int, name: str, error: Error) -> None:
        self._response.refused_count += 1
        if len(self._response.refusals) < REFUSALS_MAX:
            reason = status.from_error(error, pb.DESCRIPTOR.package)
            self._response.refusals.add(index=index, name=name, error=reason)
