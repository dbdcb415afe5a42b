"""EventService: events in, what happened out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime

from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_type_pb2 import EventType
from mesh.aip import etags, field_masks
from mesh.aip.pagination import Page
from mesh.errors import Error, InvalidArgument, NotFound, Unimplemented
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from analytics import names, render, store
from analytics.eventstore.client import EventStore
from analytics.intake import Intake, Taken
from analytics.matching.servicer import Matching
from analytics.people_servicer import Erasing
from analytics.reports import listing

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000
IN_FLIGHT_MAX = 4
"""Messages of one stream that are made safe at once; then the stream is not read further."""
REFUSALS_MAX = 1_000


class EventServicer(Matching, Erasing):
    """Events of this mesh."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        events: EventStore,
        intake: Intake,
        now: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """`wake` is called when there are events to erase."""
        super().__init__(events, now)
        self._sessions = sessions
        self._wake = wake
        self._intake = intake

    async def GetEvent(self, request: pb.GetEventRequest, context: object) -> pb.RecordedEvent:
        ids = names.parsed(names.EVENT, request.name)
        asked = listing.one(ids["application"], ids["event"], request.endpoint_id)
        rows = await self._events.query(asked.text, asked.values)
        if not rows:
            raise NotFound(
                "EVENT_NOT_FOUND", f"{request.name} has not arrived (yet)", event=request.name
            )
        return listing.render(ids["application"], rows[0])

    async def ListEvents(
        self, request: pb.ListEventsRequest, context: object
    ) -> pb.ListEventsResponse:
        application = names.application_of(request.parent)
        page = Page(request, PAGE_SIZE, PAGE_SIZE_MAX)
        asked = listing.page(application, request, page.after, page.limit)
        rows, token = page.cut(await self._events.query(asked.text, asked.values), listing.key)
        events = [listing.render(application, row) for row in rows]
        return pb.ListEventsResponse(events=events, next_page_token=token)

    async def PutEvents(
        self, request: pb.PutEventsRequest, context: object
    ) -> pb.PutEventsResponse:
        application = names.application_of(request.parent)
        if request.endpoints:
            raise Unimplemented(
                "FIELD_NOT_SUPPORTED", "endpoints: write them by EndpointService", field="endpoints"
            )
        taken = await self._intake.take(application, request.events, request.ByteSize())
        return pb.PutEventsResponse(accepted_count=taken.accepted_count, refusals=taken.refusals)

    async def StreamEvents(
        self, requests: AsyncIterator[pb.StreamEventsRequest], context: object
    ) -> pb.StreamEventsResponse:
        taking = _StreamIntake(self._intake)
        async with aclosing(requests):  # type: ignore[type-var]  # it is an async generator
            await taking.run(requests)
        return taking.response

    async def GetEventType(self, request: pb.GetEventTypeRequest, context: object) -> EventType:
        ids = names.parsed(names.EVENT_TYPE, request.name)
        async with self._sessions() as session:
            return render.event_type(
                await store.event_type(session, ids["application"], ids["event_type"])
            )

    async def ListEventTypes(
        self, request: pb.ListEventTypesRequest, context: object
    ) -> pb.ListEventTypesResponse:
        application = names.application_of(request.parent)
        page = Page(request, PAGE_SIZE, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.event_types(session, application, after, page.limit)
        rows, token = page.cut(rows, lambda row: [row.name])
        return pb.ListEventTypesResponse(
            event_types=map(render.event_type, rows), next_page_token=token
        )

    async def UpdateEventType(
        self, request: pb.UpdateEventTypeRequest, context: object
    ) -> EventType:
        ids = names.parsed(names.EVENT_TYPE, request.event_type.name, field="event_type.name")
        async with self._sessions.begin() as session:
            row = await store.event_type(session, ids["application"], ids["event_type"], lock=True)
            etags.check(row.revision, request.event_type.etag)
            changed = render.event_type(row)
            field_masks.apply(request.update_mask, request.event_type, changed)
            store.change_event_type(row, changed.description, changed.archived)
        return render.event_type(row)

    async def ListEventKeys(
        self, request: pb.ListEventKeysRequest, context: object
    ) -> pb.ListEventKeysResponse:
        application = names.application_of(request.parent)
        page = Page(request, PAGE_SIZE, PAGE_SIZE_MAX)
        after = (str(page.after[0]), str(page.after[1])) if page.after else ("", "")
        async with self._sessions() as session:
            rows = await store.event_keys(session, application, after, page.limit)
        rows, token = page.cut(rows, lambda row: [row.name, row.kind])
        return pb.ListEventKeysResponse(
            event_keys=map(render.event_key, rows), next_page_token=token
        )


class _StreamIntake:
    """Takes the messages of one stream, a few at a time, and adds up what became of them."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._slots = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._index = 0
        self.response = pb.StreamEventsResponse()

    async def run(self, requests: AsyncIterator[pb.StreamEventsRequest]) -> None:
        """Read the stream as fast as it can be made safe; the first failure ends it."""
        parent = ""
        try:
            async with asyncio.TaskGroup() as group:
                async for request in requests:
                    parent = parent or request.parent
                    _check_parent(parent, request.parent)
                    await self._slots.acquire()
                    group.create_task(self._take(request, self._index))
                    self._index += len(request.events)
        except* Error as failures:
            raise failures.exceptions[0] from None
        self.response.refusals.sort(key=lambda refusal: refusal.index)

    async def _take(self, request: pb.StreamEventsRequest, first_index: int) -> None:
        try:
            application = names.application_of(request.parent)
            taken = await self._intake.take(
                application, request.events, request.ByteSize(), first_index
            )
        finally:
            self._slots.release()
        self._add(taken)

    def _add(self, taken: Taken) -> None:
        self.response.accepted_count += taken.accepted_count
        self.response.refused_count += len(taken.refusals)
        room = REFUSALS_MAX - len(self.response.refusals)
        self.response.refusals.extend(taken.refusals[:room])


def _check_parent(first: str, parent: str) -> None:
    if parent != first:
        raise InvalidArgument(
            "STREAM_PARENT_CHANGED",
            f"the stream began with {first} and goes on with {parent}",
            first=first,
            parent=parent,
        )
