"""The parts of the service, put together."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

from heliograph import subjects
from heliograph.audience.v1.endpoint_service_pb2_grpc import EndpointServiceStub
from heliograph.messaging.v1 import otp_service_pb2, phone_number_lookup_service_pb2
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.twoway.v1.opt_out_service_pb2_grpc import OptOutServiceStub
from heliograph.twoway.v1.pool_service_pb2_grpc import PoolServiceStub
from mesh import service, worker
from mesh.eventing import jetstream
from mesh.eventing.consumer import Consumer
from mesh.eventing.erasures import SETTLE_SECONDS, Erasures
from mesh.eventing.orders import Orders
from mesh.rpc import tls
from mesh.rpc.auth.gone import Gone, Services
from mesh.rpc.channel import channel
from mesh.sealing import Sealer
from mesh.store import engine, pool, purging
from mesh.store.tombstones import Sessions, Tombstones
from nats.js import JetStreamContext

from messaging import erasure, housekeeping
from messaging.answers import Answers
from messaging.channels.drivers import DRIVERS
from messaging.connections import Connections
from messaging.deciding import Deciding
from messaging.direct.calls import Calls
from messaging.direct.outbox import Outbox
from messaging.direct.sends import Sends
from messaging.inbound import Inbound
from messaging.ledger.partitions import Partitions
from messaging.ledger.persistence import Pool
from messaging.ledger.statements import PLANNING
from messaging.listening import ChannelListener
from messaging.long_texts.long_texts import LongTexts
from messaging.people import erasure as people
from messaging.pipeline.batches import Batches
from messaging.pipeline.consent import Consent
from messaging.pipeline.handing import Handing
from messaging.pipeline.holding import Holding
from messaging.pipeline.originating import Originating
from messaging.receiving import Receiving
from messaging.servicers.channel_servicer import ChannelServicer
from messaging.servicers.message_servicer import MessageServicer
from messaging.servicers.suppression_servicer import SuppressionServicer
from messaging.servicers.template_servicer import TemplateServicer
from messaging.settings import Settings
from messaging.settling import Settling
from messaging.stored_templates import StoredTemplates

SPARE_CONNECTIONS = 10
"""For receipts, reads and loops, beside two for each batch in work."""

PARKED_SWEEP_SECONDS = 0.5
SETTLE_SWEEP_SECONDS = 1.0
OUTBOX_SWEEP_SECONDS = 2.0
HELD_SWEEP_SECONDS = 1.0
LONG_TEXTS_SWEEP_SECONDS = 5.0
PARTITIONS_SECONDS = 3600.0
STOP_SECONDS = 8.0

# Their methods are answered UNIMPLEMENTED.
_UNIMPLEMENTED = {
    noun.full_name: object()
    for file in (otp_service_pb2, phone_number_lookup_service_pb2)
    for noun in file.DESCRIPTOR.services_by_name.values()
}


@dataclass(frozen=True)
class Assembly:
    """What the service is made of."""

    settings: Settings
    pool: Pool
    sessions: Sessions
    js: JetStreamContext
    partitions: Partitions
    connections: Connections
    batches: Batches
    holding: Holding
    receiving: Receiving
    settling: Settling
    outbox: Outbox
    inbound: Inbound
    long_texts: LongTexts
    gone: Tombstones
    erasures: Erasures
    orders: Orders
    services: Mapping[str, object]

    @classmethod
    async def make(
        cls,
        settings: Settings,
        stack: AsyncExitStack,
        *,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> Self:
        """Opens connections; nothing is at work yet.

        Who was erased is looked for again `settle_seconds` after that was heard of.
        """
        database = engine.create(settings.database_url, application_name="messaging")
        stack.push_async_callback(database.dispose)
        sessions = engine.sessions(database)
        size = 2 * (settings.bulk_batches_max + settings.direct_batches_max) + SPARE_CONNECTIONS
        bulk = await stack.enter_async_context(
            pool.create(
                settings.database_url,
                max_size=size,
                application_name="messaging",
                reset=False,
                server_settings=PLANNING,
            )
        )
        _, js = await stack.enter_async_context(
            jetstream.connect(settings.nats_url, name="messaging")
        )
        token = settings.service_token.get_secret_value()
        neighbour = partial(channel, token=token, credentials=tls.channel_credentials(settings))
        audience = await stack.enter_async_context(neighbour(settings.audience_address))
        twoway = await stack.enter_async_context(neighbour(settings.twoway_address))

        gone = Tombstones(sessions)
        partitions = Partitions(bulk, settings.ledger_retention_days)
        receiving, inbound = Receiving(bulk, js), Inbound(bulk, js)
        long_texts = LongTexts(bulk, inbound)
        sealer = Sealer(settings.secrets_key.get_secret_value())
        connections = Connections(
            bulk,
            sealer,
            DRIVERS,
            lambda application, id: ChannelListener(
                application, id, receiving, inbound, long_texts
            ),
        )
        templates = StoredTemplates(bulk)
        consent = Consent(OptOutServiceStub(twoway))
        handing = Handing(bulk, js, consent, connections)
        calls = Calls(EndpointServiceStub(audience), templates)
        holding = Holding(bulk, js, EndpointServiceStub(audience))
        outgoing = Outbox(bulk, js)
        sends = Sends(bulk, partitions, outgoing)
        return cls(
            settings=settings,
            pool=bulk,
            sessions=sessions,
            js=js,
            partitions=partitions,
            connections=connections,
            batches=Batches(
                *(bulk, js, partitions, connections, templates, handing, holding),
                Originating(PoolServiceStub(twoway)),
                settings.chunk_size_max,
                gone,
            ),
            holding=holding,
            receiving=receiving,
            settling=Settling(bulk, js, outgoing),
            outbox=outgoing,
            inbound=inbound,
            long_texts=long_texts,
            gone=gone,
            erasures=erasure.erasures(sessions, js, gone, bulk, connections, settle_seconds),
            orders=people.orders_of(sessions, js, bulk, settle_seconds),
            services=Services(
                {
                    "heliograph.messaging.v1.MessageService": MessageServicer(
                        bulk, js, calls, sends, Deciding(bulk, js)
                    ),
                    "heliograph.messaging.v1.ChannelService": ChannelServicer(
                        sessions, sealer, connections
                    ),
                    "heliograph.messaging.v1.TemplateService": TemplateServicer(
                        sessions, templates
                    ),
                    "heliograph.messaging.v1.SuppressionService": SuppressionServicer(sessions),
                    **_UNIMPLEMENTED,
                },
                Gone(gone),
            ),
        )

    async def start(self, stack: AsyncExitStack) -> None:
        """Starts channels, loops and consumers, in this order; they stop in reverse.

        Batches stop first, each at its next chunk, while their channels are still open.
        """
        await jetstream.ensure_streams(
            self.js,
            *(subjects.SENDS, subjects.MESSAGES, subjects.INBOUND),
            *(subjects.AUDIENCE, subjects.TWOWAY),
        )
        stack.push_async_callback(self.connections.close)
        self._loop(stack, "channels", self.connections.run(self.settings.database_url))
        for name, sweep, poll_seconds in (
            ("receipts", self.receiving.sweep, PARKED_SWEEP_SECONDS),
            ("settling", self.settling.sweep, SETTLE_SWEEP_SECONDS),
            ("outbox", self.outbox.sweep, OUTBOX_SWEEP_SECONDS),
            ("held", self.holding.sweep, HELD_SWEEP_SECONDS),
            ("long texts", self.long_texts.sweep, LONG_TEXTS_SWEEP_SECONDS),
            ("days", self.partitions.prepare, PARTITIONS_SECONDS),
        ):
            self._loop(stack, name, _sweeping(name, sweep, poll_seconds))
        purge = purging.run(self.sessions, housekeeping.purges(), lambda: datetime.now(UTC))
        self._loop(stack, "purging", purge)
        await self.gone.refresh()
        self._loop(stack, "tombstones", self.gone.run())
        self._loop(stack, "erasures", self.erasures.run())
        self._loop(stack, "orders", self.orders.run())
        deletions = self.erasures.consumer(
            subjects.AUDIENCE.name, ack_wait_seconds=erasure.ACK_WAIT_SECONDS
        )
        await stack.enter_async_context(deletions)
        await stack.enter_async_context(people.consumer(self.js, self.orders))
        await erasure.caught_up(self.js)
        await stack.enter_async_context(Answers(self.pool, self.js).consumer())
        for lane, batches_max in (
            (subjects.BULK, self.settings.bulk_batches_max),
            (subjects.DIRECT, self.settings.direct_batches_max),
        ):
            await stack.enter_async_context(self._consumer(lane, batches_max))
        stack.callback(self.batches.stop)

    def _consumer(self, lane: str, batches_max: int) -> Consumer:
        return Consumer(
            self.js,
            stream=subjects.SENDS.name,
            durable=f"messaging-{lane}",
            subject=subjects.subject(SendBatch, "*", lane),
            handler=self.batches.handle,
            concurrency=batches_max,
            ack_wait_seconds=self.settings.batch_ack_wait_seconds,
            stop_seconds=STOP_SECONDS,
        )

    @staticmethod
    def _loop(stack: AsyncExitStack, name: str, work: Coroutine[Any, Any, None]) -> None:
        service.background(stack, work, name)


def _sweeping(
    name: str, sweep: Callable[[datetime], Awaitable[int | None]], poll_seconds: float
) -> Coroutine[Any, Any, None]:
    return worker.run(name, lambda: sweep(datetime.now(UTC)), poll_seconds=poll_seconds)
