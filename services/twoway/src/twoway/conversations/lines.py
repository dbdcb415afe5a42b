"""What was said by both sides, in one order: theirs from here, ours from messaging's ledger.

Nothing of the ledger is copied, so a state is always that of now, and a message of a campaign costs
nothing here until somebody reads the conversation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from heliograph.messaging.v1 import message_service_pb2 as messaging_pb
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.twoway.v1.conversation_pb2 import ConversationMessage
from mesh.errors import Error, Unavailable
from sqlalchemy import tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock
from twoway.conversations import finding, render
from twoway.conversations.tables import ConversationRow, HandReplyRow
from twoway.tables import InboundMessageRow

if TYPE_CHECKING:
    from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceAsyncStub

THEIRS, OURS = 0, 1
SEQUENCE_MAX = 2**63 - 1
TIMEOUT_SECONDS = 5.0
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a line stands: by its time; of two of the same time, theirs is the earlier."""

    time: datetime
    side: int
    sequence: int = 0
    message: str = ""

    @property
    def key(self) -> list[str | int]:
        """As a page token keeps it."""
        return [self.time.isoformat(), self.side, self.sequence, self.message]


@dataclass(frozen=True, slots=True)
class Part:
    """Which lines are asked for: so many beyond a place, in one direction."""

    after: Place | None
    oldest_first: bool
    limit: int

    def has(self, place: Place) -> bool:
        """Whether a line stands beyond."""
        if self.after is None:
            return True
        return place > self.after if self.oldest_first else place < self.after


Line = tuple[Place, ConversationMessage]


def place_of(key: Sequence[Any]) -> Place:
    """The place that a page token keeps."""
    time, side, sequence, message = key
    return Place(datetime.fromisoformat(str(time)), int(side), int(sequence), str(message))


async def read(
    session: AsyncSession,
    messaging: "MessageServiceAsyncStub",
    row: ConversationRow,
    part: Part,
) -> list[Line]:
    """The next lines of both sides. UNAVAILABLE (MESSAGING_UNAVAILABLE) without the ledger."""
    lines = await _theirs(session, row, part)
    lines += await _ours(session, row, part, await _sent(messaging, row, part))
    lines.sort(key=lambda line: line[0], reverse=not part.oldest_first)
    return lines[: part.limit]


async def _theirs(session: AsyncSession, row: ConversationRow, part: Part) -> list[Line]:
    text = InboundMessageRow
    place = (col(text.receive_time), col(text.sequence))
    query = select(text).where(
        text.application == row.application,
        text.source_address == row.source_address,
        text.destination_address == row.phone_number,
    )
    if part.after is not None:
        # Ours of the same time stand after all of theirs.
        sequence = part.after.sequence if part.after.side == THEIRS else SEQUENCE_MAX
        bound = (part.after.time, sequence)
        query = query.where(tuple_(*place) > bound if part.oldest_first else tuple_(*place) < bound)
    order = [column.asc() if part.oldest_first else column.desc() for column in place]
    rows = (await session.exec(query.order_by(*order).limit(part.limit))).all()
    answers = await finding.answers(session, row.application, rows)
    return [
        (
            Place(found.receive_time, THEIRS, found.sequence or 0),
            ConversationMessage(
                inbound_message=render.inbound_message(found, answers.get(found.inbound_message))
            ),
        )
        for found in rows
    ]


async def _sent(
    messaging: "MessageServiceAsyncStub", row: ConversationRow, part: Part
) -> list[tuple[Place, Message]]:
    """Messages of the ledger beyond the place, which the ledger knows only to the moment."""
    request = messaging_pb.ListThreadMessagesRequest(
        parent=f"applications/{row.application}",
        page_size=part.limit,
        origination_identity=row.phone_number,
        address=row.source_address,
        oldest_first=part.oldest_first,
    )
    if part.after is not None and part.oldest_first:
        request.start_time.CopyFrom(clock.stamp(part.after.time))
    elif part.after is not None:
        request.end_time.CopyFrom(clock.stamp(part.after.time + TICK))
    found: list[tuple[Place, Message]] = []
    while len(found) < part.limit:
        try:
            page = await messaging.ListThreadMessages(request, timeout=TIMEOUT_SECONDS)
        except Error as error:
            raise Unavailable(
                "MESSAGING_UNAVAILABLE",
                "messaging, which has what was sent, does not answer",
                retry_after_seconds=1.0,
            ) from error
        placed = ((_place(message), message) for message in page.messages)
        found += [one for one in placed if part.has(one[0])]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    return found


async def _ours(
    session: AsyncSession,
    row: ConversationRow,
    part: Part,
    sent: Sequence[tuple[Place, Message]],
) -> list[Line]:
    said = await _said(session, row, [message.name for _, message in sent])
    return [
        (place, render.outbound(message, *said.get(message.name, ()))) for place, message in sent
    ]


async def _said(
    session: AsyncSession, row: ConversationRow, messages: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """What answers said, and who answered by hand."""
    text, reply = InboundMessageRow, HandReplyRow
    automatic = select(text.reply, text.reply_text).where(
        text.application == row.application,
        text.source_address == row.source_address,
        col(text.reply).in_(messages),
    )
    prefix = f"applications/{row.application}/messages/"
    ids = [name.removeprefix(prefix) for name in messages]
    by_hand = select(reply.message, reply.text, reply.author).where(
        reply.application == row.application, col(reply.message).in_(ids), reply.message != ""
    )
    said = {name: (words, "") for name, words in (await session.exec(automatic)).all()}
    for message_id, words, author in (await session.exec(by_hand)).all():
        said[prefix + message_id] = (words, author)
    return said


def _place(message: Message) -> Place:
    time = message.send_time if message.HasField("send_time") else message.create_time
    return Place(time.ToDatetime(UTC), OURS, message=message.name)
