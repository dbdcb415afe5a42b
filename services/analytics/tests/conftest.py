"""Analytics in this process, on real servers: PostgreSQL, NATS and the ClickHouse engine."""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import analytics
import grpc
import pytest_asyncio
from analytics import consumers
from analytics.event_servicer import EventServicer
from analytics.eventstore import migrate
from analytics.eventstore.client import EventStore
from analytics.funnel_servicer import FunnelServicer
from analytics.intake import Intake
from analytics.recorder import Recorder
from analytics.registry import Limits, Registry
from analytics.report_servicer import ReportServicer
from heliograph import subjects
from heliograph.analytics.v1.event_service_pb2_grpc import EventServiceStub
from heliograph.analytics.v1.funnel_service_pb2_grpc import FunnelServiceStub
from heliograph.analytics.v1.report_service_pb2_grpc import ReportServiceStub
from mesh.embedded.clickhouse import ClickHouseServer
from mesh.eventing import jetstream
from mesh.eventing.absences import Absences
from mesh.store import engine
from nats.js import JetStreamContext
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

# Tests are imported one by one, not as a package; what they share must be found all the same.
sys.path.insert(0, str(Path(__file__).parent))

MIGRATIONS = Path(analytics.__file__).parent / "migrations"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PACKAGE = "heliograph.analytics.v1"

_applications = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def event_store(clickhouse_server: ClickHouseServer) -> AsyncIterator[EventStore]:
    """A migrated store that all tests of this process share, each in an application of its own."""
    async with EventStore(clickhouse_server.url_for("heliograph")) as store:
        await migrate.migrate(store)
        yield store


@pytest_asyncio.fixture(loop_scope="session")
async def application() -> str:
    """An application that no other test knows."""
    return f"shop-{next(_applications)}"


@pytest_asyncio.fixture(loop_scope="session")
async def sessions(
    migrated_database: Callable[[Path], Awaitable[str]],
) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Sessions on a database of this test's own."""
    created = engine.create(await migrated_database(MIGRATIONS))
    yield engine.sessions(created)
    await created.dispose()


@dataclass
class Service:
    """Analytics behind its front door."""

    channel: grpc.aio.Channel
    address: str
    js: JetStreamContext

    @property
    def events(self) -> EventServiceStub:
        return EventServiceStub(self.channel)

    @property
    def reports(self) -> ReportServiceStub:
        return ReportServiceStub(self.channel)

    @property
    def funnels(self) -> FunnelServiceStub:
        return FunnelServiceStub(self.channel)


ServeWith = Callable[..., Awaitable[Service]]


@pytest_asyncio.fixture(loop_scope="session")
async def serve_with(
    sessions: async_sessionmaker[AsyncSession],
    event_store: EventStore,
    nats_url: str,
    rpc_serve: Callable[[dict[str, object]], Awaitable[str]],
    rpc_connect: Callable[[str], grpc.aio.Channel],
) -> AsyncIterator[ServeWith]:
    """`await serve_with(limits=…, store=…)`: analytics wired as in `__main__`."""
    async with AsyncExitStack() as stack:

        async def serve(
            limits: Limits = Limits(1500, 500, 500), store: EventStore = event_store
        ) -> Service:
            _, js = await stack.enter_async_context(jetstream.connect(nats_url))
            await jetstream.ensure_streams(js, subjects.EVENTS, subjects.MESSAGES)
            absences = Absences()
            for message_type in consumers.HEARD:
                consumer = consumers.consumer(js, store, message_type, 0, absences)
                await stack.enter_async_context(consumer)
            recorder = await stack.enter_async_context(Recorder(js, publish_attempts_max=1))
            intake = Intake(Registry(sessions, limits, time.monotonic), recorder, NOW.timestamp)
            address = await rpc_serve(
                {
                    f"{PACKAGE}.EventService": EventServicer(sessions, store, intake, lambda: NOW),
                    f"{PACKAGE}.ReportService": ReportServicer(sessions, store, lambda: NOW),
                    f"{PACKAGE}.FunnelService": FunnelServicer(sessions),
                }
            )
            return Service(rpc_connect(address), address, js)

        yield serve


@pytest_asyncio.fixture(loop_scope="session")
async def service(serve_with: ServeWith) -> Service:
    """Analytics as it is by default."""
    return await serve_with()
