"""Recipients who wait for the end of quiet time: put aside durably, and back on the bus in time.

Those who wait until the same moment become a batch of their own, which takes their rows over in the
transaction that enters them. Whoever dies before its commit has held nobody, and whoever obeys the
first batch again finds rows that are another's. A batch that comes back is judged as any other.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from heliograph import subjects
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.endpoint_service_pb2 import BatchGetEndpointsRequest
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.eventing import publisher
from nats.js import JetStreamContext

from messaging.ledger import held
from messaging.ledger.persistence import Pool
from messaging.pipeline.works import Work

if TYPE_CHECKING:
    from heliograph.audience.v1.endpoint_service_pb2_grpc import EndpointServiceAsyncStub

HELD: Final = "/held/"
SWEEP_MAX: Final = 20
QUEUED_MAX: Final = 100
"""Batches on the bus, of everybody; more would only wait there."""

LOOKUP_MAX: Final = 1_000
LOOKUP_TIMEOUT_SECONDS: Final = 10.0


async def hold(connection: Any, batch: SendBatch, works: Sequence[Work]) -> None:
    """Put recipients aside whose rows this batch has just entered or taken."""
    groups: dict[datetime, list[Work]] = defaultdict(list)
    for work in works:
        if work.hold_until is not None:
            groups[work.hold_until].append(work)
    for release_time, group in groups.items():
        waiting = part(batch, [work.recipient for work in group])
        await held.hold(connection, [work.row for work in group], waiting, release_time)


def part(batch: SendBatch, recipients: Sequence[SendBatch.Recipient]) -> SendBatch:
    """The batch with nobody but these, to be looked up again; their messages keep their ids."""
    waiting = SendBatch()
    waiting.CopyFrom(batch)
    waiting.batch_id = f"{batch.batch_id.partition(HELD)[0]}{HELD}{uuid4().hex}"
    waiting.was_held = True
    del waiting.recipients[:]
    waiting.recipients.extend(recipients)
    return waiting


class Holding:
    """Brings batches back whose time has come."""

    def __init__(
        self, pool: Pool, js: JetStreamContext, endpoints: "EndpointServiceAsyncStub"
    ) -> None:
        self._pool = pool
        self._js = js
        self._endpoints = endpoints

    async def sweep(self, now: datetime) -> int:
        """Publishes some of those that are due, while there is room for them; how many."""
        if not await held.is_due(self._pool, now) or await self._queued() >= QUEUED_MAX:
            return 0
        async with self._pool.acquire() as connection, connection.transaction():
            batches = await held.take_due(connection, now, SWEEP_MAX)
            await publisher.publish_many(self._js, [_outgoing(batch) for batch in batches])
        return len(batches)

    async def refreshed(self, batch: SendBatch) -> SendBatch:
        """The batch with its endpoints as they are now. Raises what the call raises.

        Who is gone, or is reached elsewhere by now, is skipped: the message was for that address.
        """
        names = [one.endpoint.name for one in batch.recipients if one.endpoint.name]
        found: dict[str, Endpoint] = {}
        for start in range(0, len(names), LOOKUP_MAX):
            answer = await self._endpoints.BatchGetEndpoints(
                BatchGetEndpointsRequest(
                    parent=f"applications/{batch.application}",
                    names=names[start : start + LOOKUP_MAX],
                ),
                timeout=LOOKUP_TIMEOUT_SECONDS,
            )
            found.update((endpoint.name, endpoint) for endpoint in answer.endpoints)
        for recipient in batch.recipients:
            if recipient.endpoint.name:
                _refresh(recipient, found.get(recipient.endpoint.name))
        return batch

    async def _queued(self) -> int:
        subject = subjects.subject(SendBatch, "*", subjects.BULK)
        info = await self._js.stream_info(subjects.SENDS.name, subjects_filter=subject)
        return sum((info.state.subjects or {}).values())


def _refresh(recipient: SendBatch.Recipient, endpoint: Endpoint | None) -> None:
    before = recipient.endpoint
    if endpoint is None or (endpoint.channel_type, endpoint.address) != (
        before.channel_type,
        before.address,
    ):
        recipient.skip_reason = Reason.ENDPOINT_CHANGED
    else:
        before.CopyFrom(endpoint)


def _outgoing(batch: SendBatch) -> publisher.Outgoing:
    return publisher.outgoing(batch, batch.application, msg_id=batch.batch_id, suffix=subjects.BULK)
