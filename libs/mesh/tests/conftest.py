"""The test contract (library.proto), compiled once a process; its servicer; a stream of words."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import grpc_tools
import pytest
import pytest_asyncio
from grpc_tools import protoc
from mesh.eventing import jetstream
from mesh.telemetry import tracing
from mesh.testkit.rpc import RpcConnect, RpcServe
from nats.aio.client import Client
from nats.js import JetStreamContext
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

# Tests are imported by path, so what they share needs one.
sys.path.insert(0, str(Path(__file__).parent))

from rpc_shelf import Shelf

HERE = Path(__file__).parent
THIRD_PARTY = HERE.parents[2] / "protos" / "third_party"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"

SERVICE = "library.v1.LibraryService"


@dataclass(frozen=True)
class Library:
    """The generated modules of the test contract."""

    pb: ModuleType
    grpc: ModuleType
    service: str = SERVICE

    def descriptor(self, method: str):
        """The descriptor of a method."""
        return self.pb.DESCRIPTOR.services_by_name["LibraryService"].methods_by_name[method]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The test contract."""
    folder = tmp_path_factory.mktemp("generated")
    includes = [f"-I{path}" for path in (HERE, THIRD_PARTY, WELL_KNOWN)]
    outputs = [f"--{plugin}_out={folder}" for plugin in ("python", "grpc_python")]
    assert protoc.main(["protoc", *includes, *outputs, "library.proto"]) == 0
    sys.path.insert(0, str(folder))
    return Library(
        importlib.import_module("library_pb2"), importlib.import_module("library_pb2_grpc")
    )


@pytest.fixture(scope="session")
def recorded() -> InMemorySpanExporter:
    """Every span of this process, whose one provider this installs."""
    exporter = InMemorySpanExporter()
    tracing.install("test", SimpleSpanProcessor(exporter))
    return exporter


@pytest_asyncio.fixture
async def js(nats: tuple[Client, JetStreamContext]) -> JetStreamContext:
    """JetStream with the stream WORDS."""
    await jetstream.ensure_stream(nats[1], "WORDS", ["google.protobuf.>"])
    return nats[1]


@pytest.fixture
def shelf(library: Library) -> Shelf:
    """A servicer of the test contract."""
    return Shelf(library.pb)


@pytest.fixture
async def address(rpc_serve: RpcServe, library: Library, shelf: Shelf) -> str:
    """Where it is served."""
    return await rpc_serve({library.service: shelf})


@pytest.fixture
def stub(address: str, rpc_connect: RpcConnect, library: Library, mint_token):
    """A stub for it, as the writer ann."""
    token = mint_token(["a"], roles=["writer"], subject="ann")
    return library.grpc.LibraryServiceStub(rpc_connect(address, token=token))
