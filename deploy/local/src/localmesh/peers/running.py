"""A peer as a process of its own: the only way in which a peer is ever run."""

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from mesh.embedded.errors import PortInUseError
from mesh.embedded.leftover import ProcessRecord
from mesh.embedded.ports import is_free
from mesh.embedded.process import ChildProcess

from localmesh.peers.control import LOOPBACK
from localmesh.peers.remote import RemotePeer

_START_TIMEOUT_SECONDS = 30.0


class PeerProcess:
    """`async with PeerProcess("mailbox", folder) as mailbox: mailbox.ports["smtp"]`.

    `kind` is a package in `localmesh.peers`. Ports that are 0 are free ones, chosen at each start.
    """

    def __init__(
        self,
        kind: str,
        data_dir: Path,
        *,
        port: int = 0,
        control_port: int = 0,
        authority_dir: Path | None = None,
        log_path: Path | None = None,
    ) -> None:
        self.kind = kind
        self.data_dir = data_dir
        self.ports: dict[str, int] = {}
        self._wanted = (port, control_port)
        self._ports_file = data_dir / "ports.json"
        argv: list[str | Path] = [
            *(sys.executable, "-m", f"localmesh.peers.{kind}", "--data", data_dir),
            *("--port", str(port), "--control-port", str(control_port)),
            *("--authority", authority_dir or data_dir, "--ports-file", self._ports_file),
        ]
        self.process = ChildProcess(kind, argv, log_path or data_dir / "log")

    @property
    def control_url(self) -> str:
        """Where it is controlled; valid after `start`."""
        return f"http://{LOOPBACK}:{self.ports['control']}"

    @property
    def remote(self) -> RemotePeer:
        """Its control door."""
        return RemotePeer(self.control_url)

    async def start(self) -> None:
        """Start; ready on return. Raises a CannotStartError that says what to do."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._ports_file.unlink(missing_ok=True)
        record = ProcessRecord(self.data_dir / "process.json")
        await record.end_leftover()
        for port in self._wanted:
            if port and not is_free(port):
                raise PortInUseError(LOOPBACK, port)
        await self.process.start()
        record.remember(self.process.pid)
        content = await self.process.ready_file(self._ports_file, _START_TIMEOUT_SECONDS)
        self.ports = json.loads(content)

    async def stop(self) -> None:
        """End it; its journal stays."""
        await self.process.stop()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
