"""Requests packed into batches: few, and none too large for the bus. Pure."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.messaging.v1.content_pb2 import MessageContent, Purpose
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging.purposes import PROMOTIONS

SOURCE = "direct"
"""Source of the message ids of all direct sends; the key holds the request's id."""

RECIPIENTS_MAX = 500
SIZE_BYTES_MAX = 400_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request, judged. `key` is its id, or a random one; `recipients` are by position."""

    application: str
    key: str
    content: MessageContent
    purpose: Purpose.ValueType
    recipients: Mapping[int, SendBatch.Recipient]
    expire_time: Timestamp | None = None
    batch_ids: list[str] = field(default_factory=list)


def pack(requests: Sequence[Request], now: datetime) -> list[SendBatch]:
    """Batches of all the requests' recipients; each request is told the ids of its batches."""
    packed: list[SendBatch] = []
    groups: dict[tuple[str, bool, int], list[Request]] = {}
    for request in requests:
        if request.recipients:
            expiry = request.expire_time.ToNanoseconds() if request.expire_time else 0
            promotes = request.purpose in PROMOTIONS
            groups.setdefault((request.application, promotes, expiry), []).append(request)
    for group in groups.values():
        packed.extend(_pack_group(group, now))
    return packed


def _pack_group(requests: Sequence[Request], now: datetime) -> Iterator[SendBatch]:
    batch, size = _empty(requests[0], now), 0
    for request in requests:
        treated = False
        for index, recipient in request.recipients.items():
            needed = recipient.ByteSize() + (0 if treated else request.content.ByteSize())
            full = len(batch.recipients) >= RECIPIENTS_MAX or size + needed > SIZE_BYTES_MAX
            if full and batch.recipients:
                yield batch
                batch, size, treated = _empty(request, now), 0, False
            if not treated:
                batch.treatments.add(content=request.content, purpose=request.purpose)
                request.batch_ids.append(batch.batch_id)
                treated = True
            recipient.key = f"{request.key}/{index}"
            recipient.treatment_index = len(batch.treatments) - 1
            batch.recipients.append(recipient)
            size += needed
    yield batch


def _empty(request: Request, now: datetime) -> SendBatch:
    source_time = Timestamp()
    source_time.FromDatetime(now)
    return SendBatch(
        batch_id=str(uuid.uuid4()),
        application=request.application,
        source=SOURCE,
        source_time=source_time,
        expire_time=request.expire_time,
    )
