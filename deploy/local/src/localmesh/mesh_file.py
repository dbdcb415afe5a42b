"""`mesh.json`: what a program needs to know to talk to the mesh in a data folder."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class MeshFile:
    """Addresses, a token for everything, the doors of the peers. Only its owner may read it."""

    addresses: dict[str, str]
    token: str
    peers: dict[str, str]
    """Control doors by peer, as URLs."""
    providers: dict[str, dict[str, Any]]
    """What a channel must be told to reach each peer, by the field of Channel.provider."""
    databases: dict[str, str]
    """PostgreSQL URL of each service."""
    nats: str
    clickhouse: str
    logs: str
    supervisor_pid: int = field(default_factory=os.getpid)
    pids: dict[str, int] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Replace the file in one step."""
        fresh = path.with_name(path.name + ".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=2)
        os.replace(fresh, path)
