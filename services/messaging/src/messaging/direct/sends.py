"""Accepting direct sends: concurrent calls share one transaction and one batch on the bus."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from heliograph import message_ids
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.message_service_pb2 import (
    SendMessagesRequest,
    SendMessagesResponse,
    SendResult,
)
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.errors import Error
from mesh.rpc import status
from nats.js import JetStreamContext

from messaging.direct import outbox, packing, requests
from messaging.direct.packing import SOURCE, Request
from messaging.direct.requests import Answered
from messaging.group_commit import GroupCommit
from messaging.ledger import claims
from messaging.ledger.partitions import Partitions
from messaging.ledger.persistence import Pool
from messaging.pipeline import works

GROUP_SIZE_MAX = 256
DOMAIN = SendMessagesRequest.DESCRIPTOR.file.package


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its request judged, and what is refused, by position."""

    request: Request
    refused: Mapping[int, Error]
    request_id: str
    checksum: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered, or the error it gets."""

    response: SendMessagesResponse | None
    error: Error | None = None


class Sends:
    """Accepts calls; returns once the ledger and the bus have them."""

    def __init__(self, pool: Pool, js: JetStreamContext, partitions: Partitions) -> None:
        self._pool = pool
        self._js = js
        self._partitions = partitions
        self._groups: GroupCommit[Call, Answer] = GroupCommit(
            self._flush, size_max=GROUP_SIZE_MAX, concurrency=2
        )

    async def accept(self, call: Call) -> SendMessagesResponse:
        """The answer to a call: its messages are in the ledger and on the bus."""
        answer = await self._groups.submit(call)
        if answer.error is not None:
            raise answer.error
        assert answer.response is not None
        return answer.response

    async def _flush(self, calls: Sequence[Call]) -> Sequence[Answer]:
        now = datetime.now(UTC)
        await self._partitions.ensure(now.date(), now)
        batches: list[SendBatch] = packing.pack([call.request for call in calls], now)
        answers = [_response(call, now) for call in calls]
        async with self._pool.acquire() as connection, connection.transaction():
            stored, old = await _claim_ids(connection, calls, answers, now)
            kept = _without(batches, old)
            await _claim_messages(connection, kept, now)
            await outbox.add(connection, kept, now)
        await outbox.publish(self._pool, self._js, kept)
        await self._publish_left(stored)
        return [
            _answer(call, answer, stored.get(index))
            for index, (call, answer) in enumerate(zip(calls, answers, strict=True))
        ]

    async def _publish_left(self, stored: Mapping[int, Answered]) -> None:
        """A call that is repeated may be so because the first one's process died in between."""
        left = [batch_id for one in stored.values() for batch_id in one.batch_ids.split()]
        if left:
            await outbox.publish_if_left(self._pool, self._js, left)


def checksum(request: SendMessagesRequest) -> bytes:
    """What tells one request from another that uses the same id."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


async def _claim_ids(
    connection: Any, calls: Sequence[Call], answers: Sequence[SendMessagesResponse], now: datetime
) -> tuple[dict[int, Answered], set[requests.Key]]:
    """Stores the answers of calls with a request id.

    Of repeated calls, what was answered first; and the ids that were there before this group.
    """
    named: dict[requests.Key, int] = {}
    repeated: dict[int, requests.Key] = {}
    for index, call in enumerate(calls):
        key = (call.request.application, call.request_id)
        if call.request_id and named.setdefault(key, index) != index:
            repeated[index] = key
    if not named:
        return {}, set()
    answered = [
        Answered(
            key,
            calls[index].checksum,
            answers[index].SerializeToString(),
            " ".join(calls[index].request.batch_ids),
        )
        for key, index in sorted(named.items())
    ]
    new = await requests.claim(connection, answered, now)
    old = named.keys() - new
    repeated |= {named[key]: key for key in old}
    if not repeated:
        return {}, set()
    first = await requests.read(connection, list(set(repeated.values())))
    return {index: first[key] for index, key in repeated.items()}, set(old)


def _without(batches: list[SendBatch], old: set[requests.Key]) -> list[SendBatch]:
    """The batches without recipients of old requests, which have their messages already."""
    if not old:
        return batches
    for batch in batches:
        kept = [
            one
            for one in batch.recipients
            if (batch.application, one.key.rpartition("/")[0]) not in old
        ]
        if len(kept) < len(batch.recipients):
            del batch.recipients[:]
            batch.recipients.extend(kept)
    return [batch for batch in batches if batch.recipients]


async def _claim_messages(connection: Any, batches: Sequence[SendBatch], now: datetime) -> None:
    for batch in batches:
        frame = works.Frame(batch, [], {}, now)
        rows = [works.row_of(frame, recipient) for recipient in batch.recipients]
        for row in rows:
            row.state, row.batch_id = Message.ACCEPTED, ""
        await claims.claim(connection, rows)


def _response(call: Call, now: datetime) -> SendMessagesResponse:
    request = call.request
    prefix = message_ids.prefix(now)
    results: dict[int, SendResult] = defaultdict(SendResult)
    for index in request.recipients:
        message_id = _message_id(prefix, request, index)
        results[index] = SendResult(
            message=f"applications/{request.application}/messages/{message_id}",
            state=Message.ACCEPTED,
        )
    for index, error in call.refused.items():
        results[index] = SendResult(error=status.from_error(error, DOMAIN))
    return SendMessagesResponse(results=[results[index] for index in sorted(results)])


def _message_id(prefix: int, request: Request, index: int) -> UUID:
    return message_ids.derive(prefix, request.application, SOURCE, f"{request.key}/{index}")


def _answer(call: Call, response: SendMessagesResponse, stored: Answered | None) -> Answer:
    if stored is None:
        return Answer(response)
    if stored.checksum != call.checksum:
        return Answer(None, requests.reused(call.request_id))
    return Answer(SendMessagesResponse.FromString(stored.response))
