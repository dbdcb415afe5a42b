"""The loop that hands answers to messaging: again and again until each is accepted, never twice.

An opt-out is committed before its confirmation can be seen here. A crash between messaging's
answer and our record of it sends the same set with the same request id, which sends nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from heliograph.audience.v1 import channel_type_pb2
from heliograph.messaging.v1 import content_pb2
from heliograph.messaging.v1 import message_service_pb2 as pb
from mesh import worker
from mesh.backoff import Backoff
from mesh.errors import Error, Unavailable
from mesh.rpc.status import to_error
from mesh.telemetry import logging, masking, propagation, tracing

from twoway import clock, metrics
from twoway.replies import store
from twoway.replies.contents import content_of, is_personal
from twoway.tables import ReplySetRow
from twoway.wakeups import POLL_SECONDS, Wakeups

if TYPE_CHECKING:
    import asyncpg
    from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceAsyncStub

log = logging.get(__name__)

CLAIMED_MAX = 16
"""Sets that are on their way at once from this replica."""

CALL_TIMEOUT_SECONDS = 10.0
BACKOFF = Backoff(first_seconds=0.5, max_seconds=10.0)
TIME_TO_LIVE = timedelta(hours=24)
"""An answer that could not leave for so long is no answer any more."""

HOPELESS = frozenset({"INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED"})
"""Codes that the same call gets for ever."""

Accepted = tuple[ReplySetRow, pb.SendMessagesResponse]
"""A set that messaging has taken."""

Answered = tuple[ReplySetRow, pb.SendMessagesResponse | Error]
"""A set, and what messaging has said of it."""


class ReplySender:
    """Sends reply sets through messaging; any number of replicas may do so."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        messaging: "MessageServiceAsyncStub",
        wakeups: Wakeups,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._pool = pool
        self._messaging = messaging
        self._woken = wakeups.replies.wakeup()
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Send until cancelled. Run several times at once, each wake is for one of them."""
        await worker.run(
            "replies",
            self._step_now,
            poll_seconds=self._poll_seconds,
            woken=self._woken,
        )

    async def step(self, now: datetime) -> int:
        """Try the sets whose turn it is, all at once; how many messaging has accepted."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await store.claim(connection, now, CLAIMED_MAX)
            if len(rows) == CLAIMED_MAX:
                self._woken.wake()
            accepted: list[Accepted] = []
            for row, answer in await self._answered(rows):
                if isinstance(answer, Error):
                    await _postpone(connection, row, answer, now)
                else:
                    accepted.append((row, answer))
            await _accept(connection, accepted)
        return len(accepted)

    async def _step_now(self) -> bool:
        """Whether it is the turn of others at once, for example of those who waited for these."""
        accepted = await self.step(clock.now())
        return bool(accepted) and await store.is_due(self._pool, clock.now())

    async def _answered(self, rows: Sequence[ReplySetRow]) -> list[Answered]:
        """What messaging says of each set; what was promised together is one call.

        What could not be sent so goes alone: one set that spoils a call spoils it once for others.
        """
        groups: dict[Any, list[ReplySetRow]] = defaultdict(list)
        for row in rows:
            alone = row.id if row.attempts else None
            groups[row.application, frozenset(row.trace.items()), alone].append(row)
        answers = await asyncio.gather(*map(self._send, groups.values()))
        return [
            answered
            for group, answer in zip(groups.values(), answers, strict=True)
            for answered in zip(group, answer, strict=True)
        ]

    async def _send(self, rows: Sequence[ReplySetRow]) -> Sequence[pb.SendMessagesResponse | Error]:
        """The answers to sets of one application and trace."""
        parent, trace = f"applications/{rows[0].application}", propagation.extract(rows[0].trace)
        batch = pb.BatchSendMessagesRequest(parent=parent, requests=map(request, rows))
        with tracing.tracer.start_as_current_span("send replies", trace):
            try:
                answer = await self._messaging.BatchSendMessages(
                    batch, timeout=CALL_TIMEOUT_SECONDS
                )
            except Error as error:
                # It is none of the sets' faults, whatever it says.
                return [Unavailable(error.reason, f"{error.code}: {error.message}")] * len(rows)
        return [_outcome(result) for result in answer.results]


def _outcome(result: pb.BatchSendMessagesResponse.Result) -> pb.SendMessagesResponse | Error:
    return to_error(result.error) if result.HasField("error") else result.response


def request(row: ReplySetRow) -> pb.SendMessagesRequest:
    """The send that a set is: the same each time it is made."""
    sms = channel_type_pb2.ChannelType.SMS
    return pb.SendMessagesRequest(
        parent=f"applications/{row.application}",
        request_id=row.request_id,
        content=content_of(row),
        purpose=content_pb2.Purpose.Value(row.purpose),
        recipients=[
            pb.Recipient(
                address=pb.Recipient.Address(
                    channel_type=sms, address=address, personal=is_personal(row)
                ),
                substitutions=row.substitutions.get(address),
            )
            for address in row.addresses
        ],
        expire_time=clock.stamp(row.create_time + TIME_TO_LIVE),
    )


async def _accept(connection: Any, accepted: Sequence[Accepted]) -> None:
    """Forget what messaging has taken over, and note by which message each text was answered."""
    if not accepted:
        return
    answered = [
        (row.application, inbound_id, result.message, row.reply_text)
        for row, response in accepted
        for inbound_id, result in zip(row.inbound_messages, response.results, strict=False)
        if result.message
    ]
    await store.accept(connection, [row.id or 0 for row, _ in accepted], answered)
    for row, response in accepted:
        _count(row, response)
    metrics.REPLIES.labels("accepted").inc(len(answered))


def _count(row: ReplySetRow, response: pb.SendMessagesResponse) -> None:
    refused = 0
    for address, result in zip(row.addresses, response.results, strict=False):
        if not result.message:
            refused += 1
            log.warning(
                "reply.refused", address=masking.address(address), failure=result.error.message
            )
    metrics.REPLIES.labels("refused").inc(refused)
    metrics.REPLY_SECONDS.observe((clock.now() - row.create_time).total_seconds())


async def _postpone(connection: Any, row: ReplySetRow, error: Error, now: datetime) -> None:
    failure = f"{error.code} {error.reason}: {error.message}"
    if error.code in HOPELESS or now > row.create_time + TIME_TO_LIVE:
        log.error("replies.refused", request_id=row.request_id, failure=failure)
        metrics.REPLIES.labels("refused").inc(len(row.addresses))
        await store.refuse(connection, row.id or 0, failure)
        return
    log.warning("replies.postponed", request_id=row.request_id, failure=failure)
    attempts = row.attempts + 1
    delay = timedelta(seconds=BACKOFF.after(attempts))
    await store.again(connection, row.id or 0, attempts, failure, now + delay)
