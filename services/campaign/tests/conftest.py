"""Neighbours of campaign that speak the real contract: a segment of given members, and a ledger."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import campaign
import pytest
from campaign.audience import Segments
from campaign.campaign_servicer import CampaignServicer
from campaign.closing import Closing, Ledger
from campaign.fanout import Fanout
from campaign.rules import Applications
from campaign.run_servicer import RunServicer
from campaign.settings import Settings
from heliograph import subjects
from heliograph.audience.v1 import endpoint_pb2, segment_service_pb2
from heliograph.audience.v1.application_pb2 import Application, ApplicationSettings
from heliograph.audience.v1.application_service_pb2_grpc import ApplicationServiceStub
from heliograph.audience.v1.segment_service_pb2_grpc import SegmentServiceStub
from heliograph.campaign.v1 import campaign_service_pb2_grpc, run_service_pb2_grpc
from heliograph.messaging.v1 import message_service_pb2
from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceStub
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.errors import NotFound, Unavailable
from mesh.eventing import jetstream
from mesh.store import engine
from mesh.testkit.bus import published

sys.path.insert(0, str(Path(__file__).parent))

MIGRATIONS = Path(campaign.__file__).parent / "migrations"


@dataclass
class FakeAudience:
    """Segments of another room: `members` in key order, away when told so."""

    members: list[endpoint_pb2.Endpoint] = field(default_factory=list)
    missing: bool = False
    breaks_after_pages: int | None = None

    async def CountSegment(self, request, context):
        if self.missing:
            raise NotFound("SEGMENT_NOT_FOUND", f"{request.name} does not exist")
        return segment_service_pb2.CountSegmentResponse(
            total=len(self.members), counts_by_channel={"SMS": len(self.members)}
        )

    async def StreamMembers(
        self, request, context
    ) -> AsyncIterator[segment_service_pb2.MemberPage]:
        if self.missing:
            raise NotFound("SEGMENT_NOT_FOUND", f"{request.name} does not exist")
        left = [member for member in self.members if key(member) > request.after]
        for number, start in enumerate(range(0, len(left), request.page_size)):
            if number == self.breaks_after_pages:
                self.breaks_after_pages = None
                raise Unavailable("DATABASE_UNAVAILABLE", "audience is away")
            page = left[start : start + request.page_size]
            yield segment_service_pb2.MemberPage(endpoints=page, last=key(page[-1]))


@dataclass
class FakeApplications:
    """The application of another room, as far as its settings go."""

    settings: ApplicationSettings = field(default_factory=ApplicationSettings)
    is_gone: bool = False

    async def GetApplication(self, request, context):
        if self.is_gone:
            raise NotFound("APPLICATION_NOT_FOUND", f"{request.name} does not exist")
        return Application(name=request.name, settings=self.settings)


@dataclass
class FakeLedger:
    """Counts of another room."""

    counts: list[message_service_pb2.CountMessagesResponse.Count] = field(default_factory=list)

    async def CountMessages(self, request, context):
        return message_service_pb2.CountMessagesResponse(counts=self.counts)


@dataclass
class Clock:
    """Time that moves when told to."""

    time: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


def key(endpoint: endpoint_pb2.Endpoint) -> str:
    return endpoint.name.rpartition("/")[2]


def member(number: int) -> endpoint_pb2.Endpoint:
    return endpoint_pb2.Endpoint(
        name=f"applications/demo/endpoints/e{number:06}", address=f"+1415555{number:04}"
    )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def audience():
    return FakeAudience(members=[member(number) for number in range(2_500)])


@pytest.fixture
def applications():
    return FakeApplications()


@pytest.fixture
def ledger():
    return FakeLedger()


@dataclass
class Room:
    """The campaign service of a test: its front door and its loops."""

    sessions: object
    js: object
    campaigns: campaign_service_pb2_grpc.CampaignServiceStub
    runs: run_service_pb2_grpc.RunServiceStub
    closing: Closing
    segments: SegmentServiceStub
    applications: Applications
    clock: Clock

    def fanout(self, worker: str = "w1") -> Fanout:
        return Fanout(
            self.sessions,
            self.js,
            self.segments,
            self.applications,
            worker,
            self.clock.now,
            Settings(),
        )

    async def sent(self, application: str = "demo") -> list[SendBatch]:
        """Every batch on the bus, in order."""
        subject = subjects.subject(SendBatch, application, subjects.BULK)
        return await published(self.js, subjects.SENDS.name, subject, SendBatch)


@pytest.fixture
async def room(
    migrated_database, nats_url, rpc_client, rpc_resources, audience, applications, ledger, clock
):
    database = engine.create(await migrated_database(MIGRATIONS))
    rpc_resources.push_async_callback(database.dispose)
    sessions = engine.sessions(database)
    _, js = await rpc_resources.enter_async_context(jetstream.connect(nats_url))
    await jetstream.ensure_stream(
        js, subjects.SENDS.name, subjects.SENDS.subjects, max_bytes=256 * 1024**2
    )
    neighbours = await rpc_client(
        {
            "heliograph.audience.v1.SegmentService": audience,
            "heliograph.audience.v1.ApplicationService": applications,
            "heliograph.messaging.v1.MessageService": ledger,
        }
    )
    segments = SegmentServiceStub(neighbours)
    counts = Ledger(MessageServiceStub(neighbours))
    door = await rpc_client(
        {
            "heliograph.campaign.v1.CampaignService": CampaignServicer(
                sessions, Segments(segments), clock.now
            ),
            "heliograph.campaign.v1.RunService": RunServicer(sessions, counts, clock.now),
        }
    )
    return Room(
        sessions=sessions,
        js=js,
        campaigns=campaign_service_pb2_grpc.CampaignServiceStub(door),
        runs=run_service_pb2_grpc.RunServiceStub(door),
        closing=Closing(sessions, counts, "closer", clock.now, Settings().lease),
        segments=segments,
        applications=Applications(ApplicationServiceStub(neighbours)),
        clock=clock,
    )
