import pytest
from google.longrunning.operations_pb2 import Operation
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from heliograph import exports, imports
from heliograph.audience.v1.application_pb2 import Application
from heliograph.audience.v1.application_service_pb2 import (
    CreateApplicationRequest,
    GetApplicationRequest,
    ListApplicationsRequest,
    ListApplicationsResponse,
)
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.client import Client
from heliograph.connection import SERVICES, Connection, NoMeshError, find
from heliograph.errors import HeliographError
from heliograph.paging import collect
from heliograph.runs import ended
from mesh.errors import InvalidArgument, NotFound, Unavailable, Violation


class Applications:
    """A servicer that fails as often as it is told."""

    def __init__(self):
        self.failures = 0
        self.request_ids = []

    async def GetApplication(self, request, context):
        if request.name == "applications/gone":
            raise NotFound("APPLICATION_NOT_FOUND", "it is gone", application=request.name)
        raise InvalidArgument("BAD", "wrong", violations=[Violation("name", "expected another")])

    async def CreateApplication(self, request, context):
        self.request_ids.append(request.request_id)
        if self.failures:
            self.failures -= 1
            raise Unavailable("AWAY", "not now")
        return Application(name=f"applications/{request.application_id}")

    async def ListApplications(self, request, context):
        first = int(request.page_token or 0)
        found = [Application(name=f"applications/a{n}") for n in range(first, min(first + 2, 5))]
        token = str(first + 2) if first + 2 < 5 else ""
        return ListApplicationsResponse(applications=found, next_page_token=token)


class Runs:
    """A run whose stream breaks once."""

    def __init__(self):
        self.streams = 0

    async def WatchRun(self, request, context):
        self.streams += 1
        yield Run(name=request.name, state=Run.SENDING)
        if self.streams == 1:
            raise Unavailable("AWAY", "not now")
        yield Run(name=request.name, state=Run.COMPLETED)


class Operations:
    """An operation whose service is away for longer than a call waits."""

    def __init__(self):
        self.breaks = 6

    async def GetOperation(self, request, context):
        if self.breaks:
            self.breaks -= 1
            raise Unavailable("AWAY", "not now")
        return Operation(name=request.name, done=True)


@pytest.fixture
def applications():
    return Applications()


@pytest.fixture
async def client(rpc_serve, mint_token, applications):
    address = await rpc_serve(
        {
            "heliograph.audience.v1.ApplicationService": applications,
            "heliograph.campaign.v1.RunService": Runs(),
            "google.longrunning.Operations": Operations(),
        }
    )
    async with Client(Connection(dict.fromkeys(SERVICES, address), mint_token())) as client:
        yield client


async def test_a_refusal_arrives_with_code_reason_and_metadata(client):
    with pytest.raises(HeliographError) as refusal:
        await client.applications.GetApplication(GetApplicationRequest(name="applications/gone"))

    assert (refusal.value.code, refusal.value.reason) == ("NOT_FOUND", "APPLICATION_NOT_FOUND")
    assert refusal.value.message == "it is gone"
    assert refusal.value.metadata["application"] == "applications/gone"


async def test_a_wrong_field_is_named(client):
    with pytest.raises(HeliographError) as refusal:
        await client.applications.GetApplication(GetApplicationRequest(name="applications/wrong"))

    assert refusal.value.violations[0].field == "name"
    assert refusal.value.violations[0].description == "expected another"


async def test_a_call_that_fails_for_now_is_repeated_under_one_request_id(client, applications):
    applications.failures = 2

    made = await client.applications.CreateApplication(
        CreateApplicationRequest(application_id="shop", application=Application(display_name="x"))
    )

    assert made.name == "applications/shop"
    assert len(applications.request_ids) == 3
    assert len(set(applications.request_ids)) == 1
    assert applications.request_ids[0]


async def test_pages_are_collected_up_to_the_limit(client):
    listing = client.applications.ListApplications

    everything = await collect(listing, ListApplicationsRequest(), "applications")
    some = await collect(listing, ListApplicationsRequest(), "applications", limit=3)

    assert [found.name for found in everything] == [f"applications/a{n}" for n in range(5)]
    assert len(some) == 3


async def test_a_broken_watch_is_taken_up_again(client):
    run = await ended(client, "applications/a/campaigns/c/runs/r")

    assert run.state == Run.COMPLETED


async def test_a_job_is_followed_beyond_the_death_of_its_service(client):
    begun = Operation(name="applications/a/operations/o")

    assert [job async for job in imports.follow(client, begun)]
    assert [job async for job in exports.follow(client, begun)]


async def test_work_that_failed_says_the_reason_and_the_field(client):
    status = Status(code=3, message="it is cut off")
    status.details.add().Pack(ErrorInfo(reason="COMPRESSION_INVALID", metadata={"byte": "7"}))
    status.details.add().Pack(BadRequest(field_violations=[{"field": "uri", "description": "x"}]))

    with pytest.raises(HeliographError) as refusal:
        await client.finished(Operation(name="operations/o", done=True, error=status))

    found = refusal.value
    assert (found.code, found.reason) == ("INVALID_ARGUMENT", "COMPRESSION_INVALID")
    assert (found.metadata, found.violations[0].field) == ({"byte": "7"}, "uri")


async def test_without_a_token_nothing_is_answered(client):
    async with Client(Connection(client.connection.addresses, "")) as nobody:
        with pytest.raises(HeliographError) as refusal:
            await nobody.applications.ListApplications(ListApplicationsRequest())

    assert refusal.value.code == "UNAUTHENTICATED"


async def test_every_service_needs_an_address():
    with pytest.raises(ValueError, match="campaign, messaging, analytics, twoway"):
        Client(Connection({"audience": "127.0.0.1:1"}, ""))


def test_without_a_mesh_the_next_step_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("HELIOGRAPH_DATA", str(tmp_path))

    with pytest.raises(NoMeshError, match="make up"):
        find()


def test_the_environment_describes_a_mesh_elsewhere(monkeypatch):
    for service in SERVICES:
        monkeypatch.setenv(f"HELIOGRAPH_{service.upper()}_ADDRESS", f"{service}.example:443")
    monkeypatch.setenv("HELIOGRAPH_TOKEN", "secret")

    found = find()

    assert found.token == "secret"
    assert found.addresses["twoway"] == "twoway.example:443"
