"""Wiring: what is made, started and stopped, in order."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from heliograph import subjects
from heliograph.analytics.v1 import report_service_pb2_grpc
from heliograph.campaign.v1 import campaign_service_pb2_grpc
from heliograph.messaging.v1 import (
    events_pb2,
    message_service_pb2_grpc,
    template_service_pb2_grpc,
)
from mesh import worker
from mesh.eventing import jetstream, outbox
from mesh.eventing.consumer import Consumer
from mesh.objects.opening import Objects
from mesh.rpc import tls
from mesh.rpc.auth.gone import Gone, Services
from mesh.rpc.channel import channel
from mesh.service import background, main
from mesh.store import engine, pool, purging
from mesh.store.tombstones import Tombstones

from twoway import clock, erasure, housekeeping, people
from twoway.alarms import pausing, watching
from twoway.alarms.counting import Counting
from twoway.exports.erasing import ExportedLists
from twoway.exports.exporting import Exporter
from twoway.imports.importing import Importer
from twoway.inbound.receiving import Receiver
from twoway.linking.asking import Asking
from twoway.linking.late import POLL_SECONDS, Linker
from twoway.places import Places
from twoway.replies.sending import ReplySender
from twoway.services import services
from twoway.settings import Settings
from twoway.wakeups import Wakeups
from twoway.webhooks.delivering import Deliverer
from twoway.webhooks.posting import Poster
from twoway.webhooks.wiring import retries_of, webhooks_of

DURABLE = "twoway-InboundSmsReceived"

ACK_WAIT_SECONDS = 5.0
"""How soon another replica answers the people whom a dead one had taken on."""

REPLY_SENDERS = 2
"""One takes up what has come since, while messaging stores what the other has handed over."""


async def serve(settings: Settings, stack: AsyncExitStack) -> dict[str, object]:
    """Everything of this room, entered into the stack; returns its servicers."""
    connections = settings.database_connections_max
    database = engine.create(
        settings.database_url, pool_size=connections, application_name="twoway"
    )
    stack.push_async_callback(database.dispose)
    sessions = engine.sessions(database)
    plain = await stack.enter_async_context(
        pool.create(
            settings.database_url,
            max_size=connections,
            application_name="twoway-plain",
            reset=False,  # nobody leaves settings or session locks behind
        )
    )
    wakeups = Wakeups()
    background(stack, wakeups.run(settings.database_url), "wakeups")

    neighbour = partial(
        channel,
        token=settings.service_token.get_secret_value(),
        credentials=tls.channel_credentials(settings),
    )
    messaging = await stack.enter_async_context(neighbour(settings.messaging_address))
    analytics = await stack.enter_async_context(neighbour(settings.analytics_address))
    campaign = await stack.enter_async_context(neighbour(settings.campaign_address))
    stub = message_service_pb2_grpc.MessageServiceStub(messaging)
    templates = template_service_pb2_grpc.TemplateServiceStub(messaging)
    replies = ReplySender(plain, stub, wakeups)
    for _ in range(REPLY_SENDERS):
        background(stack, replies.run(), "replies")
    linking = Linker(sessions, Asking(stub))
    background(stack, worker.run("linking", linking.step, poll_seconds=POLL_SECONDS), "linking")

    webhooks = webhooks_of(settings)
    posting = Deliverer(sessions, webhooks, Poster(webhooks), wakeups, retries_of(settings))
    background(stack, posting.run(), "webhooks")

    objects = Objects(settings.object_stores)
    objects.check()
    places = Places(
        objects, import_folder=settings.import_folder, export_folder=settings.export_folder
    )
    background(stack, Importer(sessions, wakeups, objects).run(), "imports")
    exporter = Exporter(settings.database_url, sessions, plain, objects, wakeups)
    background(stack, exporter.run(), "exports")

    reports = report_service_pb2_grpc.ReportServiceStub(analytics)
    background(stack, watching.run(sessions, Counting(plain, reports)), "alarms")
    campaigns = campaign_service_pb2_grpc.CampaignServiceStub(campaign)
    background(stack, pausing.run(sessions, campaigns), "pauses")

    background(stack, purging.run(sessions, housekeeping.purges(settings), clock.now), "purging")

    _, js = await stack.enter_async_context(jetstream.connect(settings.nats_url, name="twoway"))
    await jetstream.ensure_streams(js, subjects.INBOUND, subjects.TWOWAY, subjects.AUDIENCE)
    await stack.enter_async_context(outbox.Relay(sessions, js, ordered=True))
    gone = Tombstones(sessions)
    await gone.refresh()
    erasures = erasure.erasures(sessions, js, gone, settings.export_folder, objects)
    background(stack, gone.run(), "tombstones")
    background(stack, erasures.run(), "erasures")
    await stack.enter_async_context(erasures.consumer(subjects.AUDIENCE.name))
    exported = ExportedLists(sessions, settings.export_folder, objects)
    persons = people.orders_of(sessions, js, DURABLE, exported)
    background(stack, persons.run(), "orders")
    await stack.enter_async_context(people.consumer(js, persons))
    await stack.enter_async_context(
        Consumer(
            js,
            stream=subjects.INBOUND.name,
            durable=DURABLE,
            subject=subjects.subject(events_pb2.InboundSmsReceived, "*"),
            handler=Receiver(plain, Asking(stub), gone).handle,
            batch=settings.inbound_batch,
            # One batch after the other, so that a person's texts are taken in as they came.
            concurrency=1,
            ack_wait_seconds=ACK_WAIT_SECONDS,
        )
    )
    servicers = services(
        *(sessions, plain, wakeups, places),
        messaging=stub,
        templates=templates,
        webhooks=webhooks,
    )
    return Services(servicers, Gone(gone))


if __name__ == "__main__":
    main("twoway", Settings, serve, Path(__file__).parent / "migrations")
