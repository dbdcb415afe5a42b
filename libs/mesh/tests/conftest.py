"""The test contract (library.proto), compiled once a process."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import grpc_tools
import pytest
from grpc_tools import protoc

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
