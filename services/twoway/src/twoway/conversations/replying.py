"""Answers by hand: promised under a request id, sent by messaging, then part of the conversation.

Messaging is asked while the caller waits, so that a refusal is the caller's to read. The promise is
committed before: whoever repeats the call after a crash sends the same, once.
"""

import hashlib
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from heliograph.audience.v1 import channel_type_pb2
from heliograph.messaging.v1 import content_pb2
from heliograph.messaging.v1 import message_service_pb2 as messaging_pb
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from mesh.errors import Error, FailedPrecondition, InvalidArgument, Unavailable, Violation
from mesh.rpc import auth
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses, clock
from twoway.consent import checking
from twoway.conversations import finding
from twoway.conversations.tables import ConversationRow, HandReplyRow

if TYPE_CHECKING:
    from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceAsyncStub

TIMEOUT_SECONDS = 10.0
TIME_TO_LIVE = timedelta(hours=24)
"""An answer that could not leave for so long is no answer any more."""

TRANSIENT = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED"})
"""Codes after which nobody knows whether it was sent, or it may be tried again."""


class Replying:
    """Sends answers by hand."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        pool: Any,
        messaging: "MessageServiceAsyncStub",
    ) -> None:
        self._sessions = sessions
        self._pool = pool
        self._messaging = messaging

    async def reply(self, request: pb.ReplyToConversationRequest) -> HandReplyRow:
        """The answer, accepted by messaging. The same `request_id` gives the first one again.

        Raises FailedPrecondition (DESTINATION_OPTED_OUT, DESTINATION_NOT_WRITABLE, REPLY_REFUSED),
        after which nothing is sent, and Unavailable (MESSAGING_UNAVAILABLE), after which the call
        may be repeated.
        """
        async with self._sessions.begin() as session:
            conversation = await finding.get(session, request.name)
            reply = await _promised(session, conversation, request)
        if not reply.message:
            await self._refuse_unwanted(reply)
            reply.message = await self._send(reply)
            async with self._sessions.begin() as session:
                await _record(session, request.name, reply)
        return reply

    async def _refuse_unwanted(self, reply: HandReplyRow) -> None:
        address = reply.source_address
        if not addresses.is_phone(address):
            await self._give_up(reply)
            raise _refusal("DESTINATION_NOT_WRITABLE", f"{address} takes no messages", address)
        asked = (self._pool, reply.application, reply.phone_number, [address])
        if await checking.opted_out(*asked):
            await self._give_up(reply)
            raise _refusal("DESTINATION_OPTED_OUT", f"{address} has opted out", address)

    async def _send(self, reply: HandReplyRow) -> str:
        """The id of the message."""
        try:
            response = await self._messaging.SendMessages(
                send_request(reply), timeout=TIMEOUT_SECONDS
            )
        except Error as error:
            if error.code in TRANSIENT:
                raise Unavailable(
                    "MESSAGING_UNAVAILABLE",
                    "messaging does not answer; repeat the call with the same request_id",
                    retry_after_seconds=1.0,
                ) from error
            raise await self._refused(reply, error.reason, str(error)) from error
        (result,) = response.results
        if not result.message:
            raise await self._refused(reply, "", result.error.message)
        return str(result.message.rpartition("/")[2])

    async def _refused(self, reply: HandReplyRow, cause: str, words: str) -> FailedPrecondition:
        await self._give_up(reply)
        message = f"messaging refuses the answer: {words}"
        return _refusal("REPLY_REFUSED", message, reply.source_address, cause=cause)

    async def _give_up(self, reply: HandReplyRow) -> None:
        """Nothing was sent, and the same request id may mean something else."""
        async with self._sessions.begin() as session:
            await session.delete(reply)


def send_request(reply: HandReplyRow) -> messaging_pb.SendMessagesRequest:
    """The call that an answer is: the same each time it is made.

    What was written is a value and not a template: braces in it mean braces.
    """
    address = messaging_pb.Recipient.Address(
        channel_type=channel_type_pb2.ChannelType.SMS, address=reply.source_address
    )
    return messaging_pb.SendMessagesRequest(
        parent=f"applications/{reply.application}",
        request_id=reply.request_id,
        content=content_pb2.MessageContent(
            sms=content_pb2.SmsContent(body="{{text}}", origination_identity=reply.phone_number)
        ),
        purpose=content_pb2.TRANSACTIONAL,
        recipients=[messaging_pb.Recipient(address=address, substitutions={"text": reply.text})],
        expire_time=clock.stamp(reply.create_time + TIME_TO_LIVE),
    )


async def _promised(
    session: AsyncSession, conversation: ConversationRow, request: pb.ReplyToConversationRequest
) -> HandReplyRow:
    """The answer as it was promised first. REQUEST_ID_REUSED for another under the same id."""
    request_id = _request_id(conversation.application, request.request_id or uuid.uuid4().hex)
    values = {
        "application": conversation.application,
        "request_id": request_id,
        "phone_number": conversation.phone_number,
        "source_address": conversation.source_address,
        "text": request.text,
    }
    promise = {**values, "author": auth.caller().subject, "message": "", "create_time": clock.now()}
    await session.exec(insert(HandReplyRow).values(**promise).on_conflict_do_nothing())
    reply = await session.get(HandReplyRow, (conversation.application, request_id))
    assert reply is not None
    if any(getattr(reply, name) != value for name, value in values.items()):
        description = "was used for another answer"
        violation = Violation("request_id", description, "REQUEST_ID_REUSED")
        raise InvalidArgument(
            "REQUEST_ID_REUSED", f"request_id: {description}", violations=[violation]
        )
    return reply


async def _record(session: AsyncSession, name: str, reply: HandReplyRow) -> None:
    await session.merge(reply)
    conversation = await finding.get(session, name, to_change=True)
    conversation.state = "OPEN"
    conversation.revision += 1
    conversation.last_message_time = max(conversation.last_message_time, reply.create_time)


def _request_id(application: str, given: str) -> str:
    digest = hashlib.sha256(f"{application}\n{given}".encode())
    return f"twoway-reply-{digest.hexdigest()[:40]}"


def _refusal(reason: str, message: str, address: str, cause: str = "") -> FailedPrecondition:
    return FailedPrecondition(reason, message, destination_address=address, cause=cause)
