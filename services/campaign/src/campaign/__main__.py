"""Wiring: what the campaign service is made of, started in order and stopped in reverse."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from heliograph import subjects
from heliograph.audience.v1.application_service_pb2_grpc import ApplicationServiceStub
from heliograph.audience.v1.segment_service_pb2_grpc import SegmentServiceStub
from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceStub
from mesh import service, worker
from mesh.aip import request_ids
from mesh.eventing import jetstream, outbox
from mesh.rpc import tls
from mesh.rpc.auth.gone import Gone, Services
from mesh.rpc.channel import channel
from mesh.store import engine, orders, purging
from mesh.store.tombstones import Tombstones
from mesh.waking import Wakeups

from campaign import erasure, pacing, people, ticker
from campaign.audience import Segments
from campaign.campaign_servicer import CampaignServicer
from campaign.closing import Closing, Ledger
from campaign.fanout import Fanout
from campaign.looking import Looking
from campaign.rules import Applications
from campaign.run_servicer import RunServicer
from campaign.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
LOOK_SECONDS = 0.25
REST_SECONDS = 5.0
"""How long a loop rests that nobody wakes, as when the look at the database fails."""


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


async def serve(settings: Settings, stack: AsyncExitStack) -> Mapping[str, object]:
    """Start the loops; the servicers by service name."""
    database = engine.create(settings.database_url, application_name="campaign")
    stack.push_async_callback(database.dispose)
    sessions = engine.sessions(database)
    _, js = await stack.enter_async_context(jetstream.connect(settings.nats_url, name="campaign"))
    await jetstream.ensure_streams(js, subjects.CAMPAIGN, subjects.AUDIENCE)
    token = settings.service_token.get_secret_value()
    neighbour = partial(channel, token=token, credentials=tls.channel_credentials(settings))
    audience = await stack.enter_async_context(neighbour(settings.audience_address))
    messaging = await stack.enter_async_context(neighbour(settings.messaging_address))
    holder = uuid4().hex
    ledger = Ledger(MessageServiceStub(messaging))
    segments = SegmentServiceStub(audience)
    closing = Closing(sessions, ledger, holder, now, settings.lease)

    await stack.enter_async_context(outbox.Relay(sessions, js))
    gone = Tombstones(sessions)
    await gone.refresh()
    erasures = erasure.erasures(sessions, js, gone)
    service.background(stack, gone.run(), "tombstones")
    service.background(stack, erasures.run(), "erasures")
    await stack.enter_async_context(erasures.consumer(subjects.AUDIENCE.name))
    persons = people.orders_of(sessions, js)
    service.background(stack, persons.run(), "orders")
    await stack.enter_async_context(people.consumer(js, persons))
    looking = Looking(sessions, now)
    service.background(
        stack, worker.run("looking", looking.step, poll_seconds=LOOK_SECONDS), "looking"
    )
    _start(stack, "ticker", partial(ticker.tick, sessions, now), looking.due)
    _start(stack, "closing", closing.step, looking.closing)
    purges = [request_ids.aged(settings.request_id_retention), orders.aged()]
    service.background(stack, purging.run(sessions, purges, now), "purging")
    applications = Applications(ApplicationServiceStub(audience))
    fanout = Fanout(sessions, js, segments, applications, holder, now, settings)
    for number in range(settings.fan_out_workers):
        own = replace(fanout, worker=f"{holder}-{number}")
        _start(stack, f"fan-out {number}", own.step, looking.sending)
    woken = looking.paced.wakeup()
    paced = pacing.several(fanout.take_paced, settings.paced_runs_max, REST_SECONDS, woken)
    service.background(stack, paced, "paced fan-out")
    served = {
        "heliograph.campaign.v1.CampaignService": CampaignServicer(
            sessions, Segments(segments), now
        ),
        "heliograph.campaign.v1.RunService": RunServicer(sessions, ledger, now),
    }
    return Services(served, Gone(gone))


def _start(stack: AsyncExitStack, name: str, step: worker.Step, wakeups: Wakeups) -> None:
    woken = wakeups.wakeup()
    service.background(stack, worker.run(name, step, poll_seconds=REST_SECONDS, woken=woken), name)


if __name__ == "__main__":
    service.main("campaign", Settings, serve, MIGRATIONS)
