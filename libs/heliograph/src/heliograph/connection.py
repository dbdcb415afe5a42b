"""Where a mesh answers and with which token: from the environment, or from a mesh on this machine.

A mesh on one machine writes `mesh.json` into its data folder; a mesh elsewhere is described by
environment variables `HELIOGRAPH_<SERVICE>_ADDRESS` and `HELIOGRAPH_TOKEN`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SERVICES = ("audience", "campaign", "messaging", "analytics", "twoway")
DATA_VARIABLE = "HELIOGRAPH_DATA"
DATA_DEFAULT = Path("build/mesh")
MESH_FILE = "mesh.json"


class NoMeshError(Exception):
    """There is nothing to talk to; the message says how to change that."""


@dataclass(frozen=True)
class Connection:
    """Addresses by service, and the token to show.

    A mesh on one machine also has simulated `peers` (their control doors, as URLs) and says what a
    channel must be told to reach them, by the field of Channel.provider.
    """

    addresses: Mapping[str, str]
    token: str
    peers: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def data_folder() -> Path:
    """The data folder of the mesh on this machine."""
    return Path(os.environ.get(DATA_VARIABLE, DATA_DEFAULT))


def find() -> Connection:
    """The mesh to talk to; NoMeshError when there is none."""
    addresses = {
        service: os.environ[f"HELIOGRAPH_{service.upper()}_ADDRESS"]
        for service in SERVICES
        if f"HELIOGRAPH_{service.upper()}_ADDRESS" in os.environ
    }
    if addresses:
        return Connection(addresses, os.environ.get("HELIOGRAPH_TOKEN", ""))
    return local(data_folder())


def local(folder: Path) -> Connection:
    """The mesh whose data lies in `folder`."""
    path = folder / MESH_FILE
    try:
        mesh = json.loads(path.read_text())
    except FileNotFoundError:
        raise NoMeshError(
            f"no mesh runs in {folder}: start one with `make up`, or set {DATA_VARIABLE} to its "
            "data folder, or HELIOGRAPH_AUDIENCE_ADDRESS and so on to a mesh elsewhere"
        ) from None
    except (OSError, ValueError) as error:
        raise NoMeshError(f"{path} cannot be read: {error}; `make up` writes it anew") from None
    token = os.environ.get("HELIOGRAPH_TOKEN", mesh["token"])
    return Connection(mesh["addresses"], token, mesh.get("peers", {}), mesh.get("providers", {}))
