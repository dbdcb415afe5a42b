"""What people wrote, as lists and as a stream, with what it answers."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from heliograph.twoway.v1 import conversation_service_pb2 as pb
from heliograph.twoway.v1 import inbound_message_pb2
from mesh.aip import pagination
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, clock, names
from twoway.conversations import finding, render, resuming, store
from twoway.conversations.store import Filter
from twoway.inbound import reviewing
from twoway.intents.understanding import Intent
from twoway.tables import InboundMessageRow
from twoway.wakeups import POLL_SECONDS, Wakeups

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 100, 1_000


class InboundServicer:
    """Inbound messages of applications; the part of ConversationService that messaging is not
    asked for."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], wakeups: Wakeups) -> None:
        self._sessions = sessions
        self._wakeups = wakeups

    async def GetInboundMessage(
        self, request: pb.GetInboundMessageRequest, context: Any
    ) -> inbound_message_pb2.InboundMessage:
        async with self._sessions() as session:
            row = await store.get(session, request.name)
            return (await _rendered(session, row.application, [row]))[0]

    async def ListInboundMessages(
        self, request: pb.ListInboundMessagesRequest, context: Any
    ) -> pb.ListInboundMessagesResponse:
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        before = None
        if page.after:
            before = (datetime.fromisoformat(str(page.after[0])), int(page.after[1] or 0))
        async with self._sessions() as session:
            wanted = _listed(request)
            rows = await store.page(session, wanted, before, page.limit)
            rows, token = page.cut(
                rows, key=lambda row: [row.receive_time.isoformat(), row.sequence]
            )
            rendered = await _rendered(session, wanted.application, rows)
        return pb.ListInboundMessagesResponse(inbound_messages=rendered, next_page_token=token)

    async def StreamInboundMessages(
        self, request: pb.StreamInboundMessagesRequest, context: Any
    ) -> AsyncIterator[pb.StreamInboundMessagesResponse]:
        wanted = _streamed(request)
        limit = min(request.page_size or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        position = await self._beginning(request, wanted)
        yield pb.StreamInboundMessagesResponse(resume_token=resuming.token(request, position))
        woken = self._wakeups.texts.wakeup()
        while True:
            async with self._sessions() as session:
                rows, position = await store.following(session, wanted, position, limit)
                rendered = await _rendered(session, wanted.application, rows)
            if rows:
                yield pb.StreamInboundMessagesResponse(
                    inbound_messages=rendered,
                    resume_token=resuming.token(request, position),
                )
            if len(rows) < limit:
                await woken.wait(POLL_SECONDS)

    async def ReviewInboundMessage(
        self, request: pb.ReviewInboundMessageRequest, context: Any
    ) -> inbound_message_pb2.InboundMessage:
        intent = Intent[inbound_message_pb2.Intent.Name(request.intent)]
        async with self._sessions.begin() as session:
            row = await reviewing.review(session, request.name, intent)
            return (await _rendered(session, row.application, [row]))[0]

    async def _beginning(self, request: pb.StreamInboundMessagesRequest, wanted: Filter) -> int:
        """The sequence after which the stream begins."""
        if request.resume_token:
            return resuming.sequence(request)
        async with self._sessions() as session:
            if wanted.start_time:
                return await store.before(session, wanted.application, wanted.start_time)
            return await store.latest(session, wanted.application)


async def _rendered(
    session: AsyncSession, application: str, rows: Sequence[InboundMessageRow]
) -> list[inbound_message_pb2.InboundMessage]:
    answers = await finding.answers(session, application, rows) if rows else {}
    return [render.inbound_message(row, answers.get(row.inbound_message)) for row in rows]


def _listed(request: pb.ListInboundMessagesRequest) -> Filter:
    return Filter(
        application=names.application_of(request.parent),
        destination_address=addresses.canonical(request.destination_address),
        source_address=addresses.canonical(request.source_address),
        start_time=clock.moment(request.start_time) if request.HasField("start_time") else None,
        end_time=clock.moment(request.end_time) if request.HasField("end_time") else None,
        intents=tuple(map(inbound_message_pb2.Intent.Name, request.intents)),
        flagged=request.flagged,
    )


def _streamed(request: pb.StreamInboundMessagesRequest) -> Filter:
    starts = request.HasField("start_time") and not request.resume_token
    return Filter(
        application=names.application_of(request.parent),
        destination_address=addresses.canonical(request.destination_address),
        source_address=addresses.canonical(request.source_address),
        start_time=clock.moment(request.start_time) if starts else None,
    )
