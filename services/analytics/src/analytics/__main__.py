"""Wiring: what the analytics service is made of, started in order and stopped in reverse."""

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from google.longrunning import operations_pb2
from google.protobuf.message import Message
from heliograph import subjects
from heliograph.analytics.v1 import (
    event_service_pb2,
    event_stream_service_pb2,
    funnel_service_pb2,
    report_service_pb2,
)
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.messaging.v1.events_pb2 import MessagesChanged
from mesh import service
from mesh.aip.operations_servicer import OperationsServicer
from mesh.eventing import jetstream
from mesh.eventing.absences import Absences
from mesh.rpc.auth.gone import Gone, Services
from mesh.store import engine
from mesh.store.tombstones import Tombstones

from analytics import consumers, erasure, people
from analytics.event_servicer import EventServicer
from analytics.eventstore import migrate
from analytics.eventstore.client import EventStore
from analytics.funnel_servicer import FunnelServicer
from analytics.intake import Intake
from analytics.recorder import Recorder
from analytics.registry import Limits, Registry
from analytics.report_servicer import ReportServicer
from analytics.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


async def serve(settings: Settings, stack: AsyncExitStack) -> Mapping[str, object]:
    """Start the consumers; the servicers by service name."""
    database = engine.create(settings.database_url, application_name="analytics")
    stack.push_async_callback(database.dispose)
    sessions = engine.sessions(database)
    events = await stack.enter_async_context(
        EventStore(settings.clickhouse_url, query_timeout_seconds=settings.query_timeout_seconds)
    )
    _, js = await stack.enter_async_context(jetstream.connect(settings.nats_url, name="analytics"))
    await jetstream.ensure_streams(js, subjects.EVENTS, subjects.MESSAGES, subjects.AUDIENCE)
    gone = Tombstones(sessions)
    await gone.refresh()
    erasures = erasure.erasures(sessions, js, gone, events)
    service.background(stack, gone.run(), "tombstones")
    service.background(stack, erasures.run(), "erasures")
    await stack.enter_async_context(erasures.consumer(subjects.AUDIENCE.name))
    persons = people.orders_of(sessions, js, events)
    service.background(stack, persons.run(), "orders")
    await stack.enter_async_context(people.consumer(js, persons))
    intervals_seconds: Mapping[type[Message], float] = {
        EventsRecorded: settings.insert_interval_seconds,
        # A campaign's come evenly for minutes: few large inserts leave the machine to the sending.
        MessagesChanged: settings.message_insert_interval_seconds,
    }
    absences = Absences()
    for message_type, interval_seconds in intervals_seconds.items():
        consumer = consumers.consumer(js, events, message_type, interval_seconds, absences, gone)
        await stack.enter_async_context(consumer)
    recorder = await stack.enter_async_context(Recorder(js))
    limits = Limits(settings.event_types_max, settings.attribute_keys_max, settings.metric_keys_max)
    intake = Intake(Registry(sessions, limits, time.monotonic), recorder, time.time)
    served = {
        _service(event_service_pb2): EventServicer(sessions, events, intake, now, persons.wake),
        _service(report_service_pb2): ReportServicer(sessions, events, now),
        _service(funnel_service_pb2): FunnelServicer(sessions),
        _service(operations_pb2): OperationsServicer(sessions, cancellable=False),
        # Nothing of it is implemented; the server answers for it by its descriptor.
        _service(event_stream_service_pb2): object(),
    }
    return Services(served, Gone(gone))


def _service(module: ModuleType) -> str:
    """The full name of the one service that a generated module describes."""
    (found,) = module.DESCRIPTOR.services_by_name.values()
    name: str = found.full_name
    return name


async def migrate_event_store(settings: Settings) -> None:
    """Bring ClickHouse's schema up to date."""
    async with EventStore(settings.clickhouse_url) as events:
        await migrate.migrate(events)


if __name__ == "__main__":
    service.main("analytics", Settings, serve, MIGRATIONS, migrate_further=migrate_event_store)
