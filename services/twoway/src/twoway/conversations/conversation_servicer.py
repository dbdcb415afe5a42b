"""ConversationService: what people wrote, as it came and as conversations with both sides."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from heliograph.twoway.v1 import conversation_pb2
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from mesh.aip import etags, field_masks, pagination
from mesh.errors import FailedPrecondition
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, names
from twoway.conversations import finding, lines, render
from twoway.conversations.finding import Filter
from twoway.conversations.lines import Part
from twoway.conversations.replying import Replying
from twoway.conversations.servicer import InboundServicer
from twoway.conversations.tables import ConversationRow
from twoway.wakeups import Wakeups

if TYPE_CHECKING:
    from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceAsyncStub

LINES_DEFAULT = 100
PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1_000
OPEN, CLOSED = "OPEN", "CLOSED"


class ConversationServicer(InboundServicer):
    """Conversations of applications, and the texts they are made of."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        wakeups: Wakeups,
        pool: Any,
        messaging: "MessageServiceAsyncStub",
    ) -> None:
        super().__init__(sessions, wakeups)
        self._messaging = messaging
        self._replying = Replying(sessions, pool, messaging)

    async def GetConversation(
        self, request: pb.GetConversationRequest, context: Any
    ) -> conversation_pb2.Conversation:
        async with self._sessions() as session:
            return render.conversation(await finding.get(session, request.name))

    async def ListConversations(
        self, request: pb.ListConversationsRequest, context: Any
    ) -> pb.ListConversationsResponse:
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        async with self._sessions() as session:
            rows = await finding.page(session, _wanted(request), _before(page), page.limit)
        found, token = page.cut(rows, key=_key)
        return pb.ListConversationsResponse(
            conversations=map(render.conversation, found), next_page_token=token
        )

    async def UpdateConversation(
        self, request: pb.UpdateConversationRequest, context: Any
    ) -> conversation_pb2.Conversation:
        def change(row: ConversationRow) -> bool:
            target = render.conversation(row)
            changed = field_masks.apply(request.update_mask, request.conversation, target)
            row.assignee = target.assignee
            row.labels = list(dict.fromkeys(target.labels))
            return bool(changed)

        return await self._change(request.conversation.name, request.conversation.etag, change)

    async def ListConversationMessages(
        self, request: pb.ListConversationMessagesRequest, context: Any
    ) -> pb.ListConversationMessagesResponse:
        page = pagination.Page(request, LINES_DEFAULT, PAGE_SIZE_MAX)
        after = lines.place_of(page.after) if page.after else None
        part = Part(after, request.oldest_first, page.limit)
        async with self._sessions() as session:
            row = await finding.get(session, request.name)
            found = await lines.read(session, self._messaging, row, part)
        found, token = page.cut(found, key=lambda line: line[0].key)
        return pb.ListConversationMessagesResponse(
            messages=[message for _, message in found], next_page_token=token
        )

    async def SearchConversations(
        self, request: pb.SearchConversationsRequest, context: Any
    ) -> pb.SearchConversationsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        async with self._sessions() as session:
            rows = await finding.search(
                session, application, request.query, _before(page), page.limit
            )
        found, token = page.cut(rows, key=_key)
        return pb.SearchConversationsResponse(
            conversations=map(render.conversation, found), next_page_token=token
        )

    async def ReplyToConversation(
        self, request: pb.ReplyToConversationRequest, context: Any
    ) -> conversation_pb2.ConversationMessage:
        return render.hand_reply(await self._replying.reply(request))

    async def CloseConversation(
        self, request: pb.CloseConversationRequest, context: Any
    ) -> conversation_pb2.Conversation:
        return await self._change(request.name, request.etag, _moving(OPEN, CLOSED))

    async def ReopenConversation(
        self, request: pb.ReopenConversationRequest, context: Any
    ) -> conversation_pb2.Conversation:
        return await self._change(request.name, request.etag, _moving(CLOSED, OPEN))

    async def _change(
        self, name: str, etag: str, change: Callable[[ConversationRow], bool]
    ) -> conversation_pb2.Conversation:
        async with self._sessions.begin() as session:
            row = await finding.get(session, name, to_change=True)
            etags.check(row.revision, etag)
            if change(row):
                row.revision += 1
            return render.conversation(row)


def _moving(before: str, after: str) -> Callable[[ConversationRow], bool]:
    """From one state to the other; CONVERSATION_STATE_WRONG from any other than that."""

    def move(row: ConversationRow) -> bool:
        if row.state != before:
            raise FailedPrecondition(
                "CONVERSATION_STATE_WRONG",
                f"the conversation is {row.state}, not {before}",
                state=row.state,
            )
        row.state = after
        return True

    return move


def _wanted(request: pb.ListConversationsRequest) -> Filter:
    application = names.application_of(request.parent)
    number = ""
    if request.phone_number:
        names.same_application(application, request.phone_number, "phone_number")
        number = names.phone_number_key(request.phone_number, "phone_number")[1]
    state = conversation_pb2.Conversation.State.Name(request.state) if request.state else ""
    return Filter(
        application=application,
        phone_number=addresses.canonical(number),
        source_address=addresses.canonical(request.source_address),
        state=state,
        assignee=request.assignee,
    )


def _before(page: pagination.Page) -> finding.Key | None:
    if not page.after:
        return None
    return datetime.fromisoformat(str(page.after[0])), str(page.after[1])


def _key(row: ConversationRow) -> pagination.Key:
    return [row.last_message_time.isoformat(), row.conversation]
