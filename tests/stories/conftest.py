"""The mesh as a whole, as processes, for the stories: one for all of them, on one worker."""

import itertools
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from heliograph.client import Client
from heliograph.connection import local
from localmesh.supervisor import LocalMesh
from mesh.testkit.folders import ServerFolders
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

sys.path.insert(0, str(Path(__file__).parent))

from mesh_shop import Shop
from mesh_spans import Spans

NUMBERS = itertools.count(100)
"""Each story has a number of its own, so that what the carrier wrote down tells them apart."""

SETTINGS = {
    # Runs of a few hundred members are to be under way for as long as a large one's.
    "page_size": "100",
    "queued_batches_max": "4",
    # A dead replica's work is taken over soon.
    "lease_seconds": "3",
    "batch_ack_wait_seconds": "2",
}
EXPORT_MILLISECONDS = "500"
"""Between two exports of spans."""


@pytest.fixture(scope="session")
def settings() -> dict[str, str]:
    """What services are told, so that a small mesh behaves as a large one."""
    return SETTINGS


@pytest.fixture(scope="session")
async def spans() -> AsyncIterator[Spans]:
    """The collector of the mesh."""
    spans = Spans()
    server = grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(spans, server)
    spans.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield spans
    await server.stop(grace=0)


@pytest.fixture(scope="session")
async def local_mesh(server_folders: ServerFolders, spans: Spans) -> AsyncIterator[LocalMesh]:
    """The whole mesh on this machine, traced."""
    settings = {**SETTINGS, "otlp_endpoint": spans.endpoint, "trace_ratio": "1"}
    folder = server_folders("mesh")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", EXPORT_MILLISECONDS)
        async with LocalMesh(folder, durable=False, settings=settings) as mesh:
            yield mesh


@pytest.fixture(scope="session")
async def client(local_mesh: LocalMesh) -> AsyncIterator[Client]:
    """The public client, as an administrator."""
    async with Client(local(local_mesh.layout.root)) as client:
        yield client


@pytest.fixture
async def shop(client: Client) -> AsyncIterator[Shop]:
    """A new application with channels and a number of its own."""
    serial = next(NUMBERS)
    shop = Shop(client, f"shop-{serial}", f"+12125550{serial:03}")
    await shop.open()
    yield shop
    await shop.carrier.behave_normally()
