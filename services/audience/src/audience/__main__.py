"""Wiring: what is made, started and stopped, in order."""

import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from heliograph import subjects
from mesh.eventing import jetstream, outbox
from mesh.objects.opening import Objects
from mesh.rpc import tls
from mesh.rpc.channel import channel
from mesh.service import background, main
from mesh.store import engine, pool, purging
from mesh.store.tombstones import Tombstones

from audience import housekeeping
from audience.applications import erasure
from audience.consent import hearing
from audience.consent.catching_up import CatchingUp
from audience.eligibility.neighbours import Neighbours
from audience.persons import gathering, hashes
from audience.persons.erasure import orders_of
from audience.removals.removing import kind as removal_kind
from audience.segments.servicer import SegmentServicer
from audience.segments.sets import Analytics
from audience.services import services
from audience.settings import Settings
from audience.transfers.exporting import kind as exporting_kind
from audience.transfers.importing import kind as importing_kind
from audience.transfers.limits import Limits
from audience.transfers.members import Members
from audience.transfers.worker import Worker

MIGRATIONS = Path(__file__).parent / "migrations"

SWITCH_SECONDS = 0.0003
"""How long a thread that parses a file keeps the interpreter from who has heard from the database.

With Python's own 5 ms, each of the dozen statements of a chunk waits for so long: an import took
1.4 times as long.
"""
IMPORT_STATEMENT_TIMEOUT_SECONDS = 60.0


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


async def serve(settings: Settings, stack: AsyncExitStack) -> dict[str, object]:
    """Everything of this room, entered into the stack; returns its servicers."""
    hashes.use(settings.erasure_key.get_secret_value())
    connections = settings.database_connections_max
    database = engine.create(
        settings.database_url, pool_size=connections, application_name="audience"
    )
    stack.push_async_callback(database.dispose)
    sessions = engine.sessions(database)
    reading = await stack.enter_async_context(
        pool.create(
            settings.database_url,
            max_size=connections,
            application_name="audience-reads",
            reset=False,  # what reads set is set for one transaction
        )
    )
    _, js = await stack.enter_async_context(jetstream.connect(settings.nats_url, name="audience"))
    await jetstream.ensure_streams(js, subjects.AUDIENCE, subjects.TWOWAY)
    await stack.enter_async_context(outbox.Relay(sessions, js, ordered=True))
    await stack.enter_async_context(hearing.consumer(js, sessions))
    gone = Tombstones(sessions)
    await gone.refresh()
    objects = Objects(settings.object_stores)
    objects.check()
    erasures = erasure.erasures(sessions, js, gone, settings.export_folder, objects)
    background(stack, gone.run(), "tombstones")
    background(stack, erasures.run(), "erasures")
    persons = orders_of(sessions, js, settings.export_folder, objects)
    background(stack, persons.run(), "orders")
    background(stack, gathering.close_forever(sessions, js), "proofs")
    background(stack, erasure.remind_forever(sessions, js), "deletions")
    await stack.enter_async_context(erasure.consumer(js, sessions))
    neighbour = partial(
        channel,
        token=settings.service_token.get_secret_value(),
        credentials=tls.channel_credentials(settings),
    )
    analytics = await stack.enter_async_context(neighbour(settings.analytics_address))
    campaign = await stack.enter_async_context(neighbour(settings.campaign_address))
    messaging = await stack.enter_async_context(neighbour(settings.messaging_address))
    twoway = await stack.enter_async_context(neighbour(settings.twoway_address))
    importing = engine.create(
        settings.database_url,
        pool_size=settings.import_workers + 1,
        statement_timeout_seconds=IMPORT_STATEMENT_TIMEOUT_SECONDS,
        application_name="audience-imports",
    )
    stack.push_async_callback(importing.dispose)
    for number in range(settings.import_workers):
        imports = importing_kind(
            *(engine.sessions(importing), now, Limits(settings.unpacked_bytes_max), objects)
        )
        worker = Worker(settings.database_url, engine.sessions(importing), imports)
        background(stack, worker.run(), f"imports {number}")
    removing = Worker(settings.database_url, sessions, removal_kind(sessions))
    background(stack, removing.run(), "removals")
    background(stack, purging.run(sessions, housekeeping.purges(settings), now), "purging")
    neighbours = Neighbours.of(campaign, messaging, twoway)
    background(stack, CatchingUp(sessions, neighbours.opt_outs, now).run(), "opt-outs")
    served = services(
        *(settings, sessions, reading, analytics, neighbours, now, gone, erasures.wake),
        persons.wake,
    )
    segments = SegmentServicer(sessions, reading, Analytics(analytics), now)
    exports = exporting_kind(sessions, Members(segments, reading), now, objects)
    for number in range(settings.export_workers):
        worker = Worker(settings.database_url, sessions, exports)
        background(stack, worker.run(), f"exports {number}")
    sys.setswitchinterval(SWITCH_SECONDS)
    return served


if __name__ == "__main__":
    main("audience", Settings, serve, MIGRATIONS)
