"""Working on one batch: chunk by chunk through every step; then the bus is told it is done."""

import asyncio
from collections import OrderedDict
from collections.abc import Container, Sequence
from datetime import UTC, datetime
from typing import Any

from heliograph import message_ids
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.errors import InvalidArgument
from mesh.eventing.consumer import Delivery, Later
from nats.js import JetStreamContext

from messaging import events
from messaging.announcing import announce
from messaging.connections import Connections
from messaging.ledger import frontiers
from messaging.ledger.partitions import Partitions
from messaging.ledger.persistence import Pool, batch_lock
from messaging.people import leaving_out
from messaging.pipeline import barrier, entering, lists, works
from messaging.pipeline.entering import Entered
from messaging.pipeline.handing import Handing
from messaging.pipeline.holding import Holding
from messaging.pipeline.originating import Originating
from messaging.pipeline.patience import Patience
from messaging.rendering.contents import CompiledContent
from messaging.rendering.engine import TemplateError
from messaging.stored_templates import StoredTemplates

LOCKED_RETRY_SECONDS = 2.0
NOT_READY_RETRY_SECONDS = 1.0
BARRIER_RETRY_SECONDS = 1.0
BATCHES_REMEMBERED_MAX = 10_000


class Batches:
    """The pipeline. `handle` obeys one SendBatch, any number of times, by any number of workers."""

    def __init__(
        self,
        pool: Pool,
        js: JetStreamContext,
        partitions: Partitions,
        connections: Connections,
        templates: StoredTemplates,
        handing: Handing,
        holding: Holding,
        originating: Originating,
        chunk_size_max: int,
        gone: Container[str] = (),
    ) -> None:
        """Batches of an application that is `gone` are passed by."""
        self._gone = gone
        self._pool = pool
        self._js = js
        self._partitions = partitions
        self._connections = connections
        self._templates = templates
        self._handing = handing
        self._holding = holding
        self._originating = originating
        self._chunk_size_max = chunk_size_max
        self._stopping = asyncio.Event()
        self._begun: OrderedDict[str, int] = OrderedDict()

    def stop(self) -> None:
        """Let go of batches at the next chunk, so that no hand-over is interrupted."""
        self._stopping.set()

    async def handle(self, delivery: Delivery) -> None:
        """Works on a batch until all of it is recorded and announced.

        Raises Later when it should be delivered again, and InvalidArgument for what is no batch.
        """
        batch = delivery.parse(SendBatch)
        if not (batch.application and batch.batch_id and batch.HasField("source_time")):
            raise InvalidArgument("SEND_BATCH_INVALID", "a batch lacks application, id or time")
        if batch.application in self._gone:
            return
        source_time = batch.source_time.ToDatetime(message_ids.EPOCH.tzinfo)
        await self._partitions.ensure(source_time.date())
        async with batch_lock(self._pool, batch.batch_id) as connection:
            if connection is None:
                raise Later(LOCKED_RETRY_SECONDS, "another worker has the batch")
            await self._work(connection, batch)

    async def _work(self, connection: Any, batch: SendBatch) -> None:
        contents = await self._templates.compiled(batch.application, batch.treatments)
        if batch.was_held:
            batch = await self._holding.refreshed(batch)
        patience = Patience(self._stopping)
        kinds = {recipient.endpoint.channel_type for recipient in batch.recipients}
        size = self._connections.chunk_size(batch.application, kinds, self._chunk_size_max)
        begun = self._begun.pop(batch.batch_id, 0)
        try:
            for start in range(begun, len(batch.recipients), size):
                begun = start
                patience.check()
                chunk = slice(start, start + size)
                await self._chunk(connection, batch, contents, chunk, patience)
        except Later:
            self._remember(batch.batch_id, begun)
            raise
        await frontiers.forget(connection, batch.application, batch.batch_id)

    async def _chunk(
        self,
        connection: Any,
        batch: SendBatch,
        contents: Sequence[CompiledContent | TemplateError],
        chunk: slice,
        patience: Patience,
    ) -> None:
        made = await self._made(connection, batch, contents, chunk)
        self._wait_for_drivers(batch.application, made)
        kept = await barrier.kept(connection, made, datetime.now(UTC))
        passing = [work for work in made if work.row.message_id not in kept]
        await self._bring(connection, batch, passing, patience)
        if kept:
            left = [work for work in made if work.row.message_id in kept]
            await self._wait_for_barrier(connection, left)
            await self._bring(connection, batch, left, patience)

    async def _bring(
        self, connection: Any, batch: SendBatch, made: Sequence[works.Work], patience: Patience
    ) -> None:
        """Messages of one chunk, from the ledger to their outcomes."""
        if not made:
            return
        entered = await entering.enter(connection, made, batch)
        await leaving_out.scrub(connection, [work for work in made if work.erased_by])
        await self._handing.strand(batch, entered.stranded, "the worker died")
        await self._handing.run(batch, entered.hand, patience)
        await announce(self._js, batch.application, _told(entered))

    async def _made(
        self,
        connection: Any,
        batch: SendBatch,
        contents: Sequence[CompiledContent | TemplateError],
        chunk: slice,
    ) -> list[works.Work]:
        recipients = batch.recipients[chunk]
        channel_types = {recipient.endpoint.channel_type for recipient in recipients}
        await self._connections.ensure(batch.application, channel_types)
        originations = self._connections.originations(batch.application)
        frame = works.Frame(batch, contents, originations, datetime.now(UTC))
        made = works.make(frame, recipients, chunk.start)
        if await lists.apply(connection, batch.application, batch.run, made):
            await leaving_out.leave_out(connection, batch, made)
        await self._originating.choose(batch.application, made)
        return made

    def _wait_for_drivers(self, application: str, made: Sequence[works.Work]) -> None:
        """Before anything is marked: a channel that is away would only have it marked back."""
        needed = {work.row.channel_type for work in made if work.rendered is not None}
        for channel_type in needed:
            open_channel = self._connections.get(application, channel_type)
            if open_channel is not None and not open_channel.driver.ready:
                raise Later(NOT_READY_RETRY_SECONDS, "the provider is not connected")

    async def _wait_for_barrier(self, connection: Any, kept: Sequence[works.Work]) -> None:
        if not await barrier.passed(connection, kept, datetime.now(UTC)):
            raise Later(BARRIER_RETRY_SECONDS, "messages to the number are under way")

    def _remember(self, batch_id: str, begun: int) -> None:
        """Where to go on when the batch comes again to this process: all before it is told."""
        self._begun[batch_id] = begun
        while len(self._begun) > BATCHES_REMEMBERED_MAX:
            self._begun.popitem(last=False)


def _told(entered: Entered) -> list[MessageEvent]:
    skipped = [events.event(row, MessageEvent.SKIPPED, row.update_time) for row in entered.skipped]
    return skipped + [event for row in entered.told for event in events.history(row)]
