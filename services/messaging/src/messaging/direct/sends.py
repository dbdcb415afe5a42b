"""Accepting direct sends: concurrent calls share one transaction and one batch on the bus."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from heliograph import message_ids
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.message_service_pb2 import (
    SendMessagesRequest,
    SendMessagesResponse,
    SendResult,
)
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.aip import request_ids
from mesh.errors import DeadlineExceeded, Error, InvalidArgument
from mesh.rpc import status
from mesh.store.group_commit import GroupCommit

from messaging.direct import accepting, outbox, packing, requests
from messaging.direct.packing import SOURCE, Request
from messaging.direct.requests import Answered
from messaging.ledger.partitions import Partitions
from messaging.ledger.persistence import Pool
from messaging.pipeline import works

GROUP_SIZE_MAX = 256
LINGER_SECONDS = 0.025
"""About what the steps of a group take: a busy service answers sooner for waiting."""

DOMAIN = SendMessagesRequest.DESCRIPTOR.file.package


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its request judged, and what is refused, by position."""

    request: Request
    refused: Mapping[int, Error]
    request_id: str
    checksum: bytes


Answer = SendMessagesResponse | Error
"""What a call is answered, or the error it gets."""


class Sends:
    """Accepts calls; returns once the ledger and the bus have them."""

    def __init__(self, pool: Pool, partitions: Partitions, outgoing: outbox.Outbox) -> None:
        self._pool = pool
        self._partitions = partitions
        self._outbox = outgoing
        self._groups: GroupCommit[Call, Answer] = GroupCommit(
            self._flush, size_max=GROUP_SIZE_MAX, linger_seconds=LINGER_SECONDS
        )

    async def accept(self, call: Call) -> SendMessagesResponse:
        """The answer to a call: its messages are in the ledger and on the bus."""
        [answer] = await self.accept_all([call])
        if isinstance(answer, Error):
            raise answer
        return answer

    async def accept_all(self, calls: Sequence[Call]) -> list[Answer]:
        """The answer to each call, or why it is refused."""
        return await self._groups.submit_all(calls)

    async def _flush(self, calls: Sequence[Call]) -> Sequence[Answer]:
        """One group; a call that the database cannot take spoils it only for itself."""
        try:
            return await self._flush_all(calls)
        except asyncpg.DataError as error:
            if len(calls) == 1:
                return [_refused(error)]
        return [(await self._flush([call]))[0] for call in calls]

    async def _flush_all(self, calls: Sequence[Call]) -> Sequence[Answer]:
        now = datetime.now(UTC)
        await self._partitions.ensure(now.date(), now)
        batches = packing.pack([call.request for call in calls], now)
        answers = [_response(call, now) for call in calls]
        named = _named(calls)
        new = await accepting.accept(
            self._pool,
            [_answered(key, calls[index], answers[index]) for key, index in named.items()],
            batches,
            _rows(calls, batches, now),
            now,
        )
        unconfirmed = await self._unconfirmed(batches)
        repeated = _repeated(calls, named, new)
        stored = await self._stored(repeated) if repeated else {}
        return [
            _answer(call, answer, stored.get(repeated.get(index, ("", ""))), unconfirmed)
            for index, (call, answer) in enumerate(zip(calls, answers, strict=True))
        ]

    async def _unconfirmed(self, batches: Sequence[SendBatch]) -> Error | None:
        """Publishes; why the bus has not confirmed. The ledger has the messages then, and a sweep
        publishes them."""
        try:
            await self._outbox.publish(batches)
        except Error as error:
            return error
        return None

    async def _stored(self, repeated: Mapping[int, requests.Key]) -> dict[requests.Key, Answered]:
        """What was answered first. The first call's process may have died before it published."""
        stored = await requests.read(self._pool, list(set(repeated.values())))
        left = [batch_id for one in stored.values() for batch_id in one.batch_ids.split()]
        await self._outbox.publish_left(left)
        return stored


def checksum(request: SendMessagesRequest) -> bytes:
    """What tells one request from another that uses the same id."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def _named(calls: Sequence[Call]) -> dict[requests.Key, int]:
    """The first call with each request id."""
    named: dict[requests.Key, int] = {}
    for index, call in enumerate(calls):
        if call.request_id:
            named.setdefault((call.request.application, call.request_id), index)
    return named


def _repeated(
    calls: Sequence[Call], named: Mapping[requests.Key, int], new: set[requests.Key]
) -> dict[int, requests.Key]:
    """The calls whose request id was there before, or is another call's of the same group."""
    repeated: dict[int, requests.Key] = {}
    for index, call in enumerate(calls):
        key = (call.request.application, call.request_id)
        if call.request_id and (key not in new or named[key] != index):
            repeated[index] = key
    return repeated


def _answered(key: requests.Key, call: Call, response: SendMessagesResponse) -> Answered:
    batch_ids = " ".join(call.request.batch_ids)
    return Answered(key, call.checksum, response.SerializeToString(), batch_ids)


def _rows(
    calls: Sequence[Call], batches: Sequence[SendBatch], now: datetime
) -> list[accepting.Accepted]:
    named = {call.request.key: call.request_id for call in calls}
    rows: list[accepting.Accepted] = []
    for batch in batches:
        frame = works.Frame(batch, [], {}, now)
        for recipient in batch.recipients:
            request_id = named[recipient.key.rpartition("/")[0]]
            rows.append((request_id, works.row_of(frame, recipient)))
    return rows


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


def _answer(
    call: Call,
    response: SendMessagesResponse,
    stored: Answered | None,
    unconfirmed: Error | None,
) -> Answer:
    if unconfirmed is not None:
        return unconfirmed if call.request_id else _outcome_unknown()
    if stored is None:
        return response
    if stored.checksum != call.checksum:
        return request_ids.reused(call.request_id)
    return SendMessagesResponse.FromString(stored.response)


def _outcome_unknown() -> DeadlineExceeded:
    """Not UNAVAILABLE, which clients repeat: without a request id that were a second message."""
    return DeadlineExceeded(
        "SEND_UNCONFIRMED", "the messages are in the ledger and may still be sent"
    )


def _refused(error: asyncpg.DataError) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"a value cannot be stored: {error}")
