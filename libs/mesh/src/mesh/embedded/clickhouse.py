"""The ClickHouse engine in one folder and a process of its own, behind its HTTP protocol."""

import asyncio
import json
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from mesh.embedded.ports import LOOPBACK
from mesh.embedded.process import ChildProcess
from mesh.embedded.server import EmbeddedServer

_STATEMENT_TIMEOUT_SECONDS = 60.0


class ClickHouseServer(EmbeddedServer):
    """`async with ClickHouseServer(folder) as server: get_client(dsn=server.url_for("events"))`.

    `port` 0 picks a free one. Acknowledged inserts survive a killed server.
    """

    CONTENT = "ClickHouse engine 26"
    STOP_GRACE_SECONDS = 30.0

    def __init__(
        self,
        data_dir: Path | str,
        port: int = 0,
        *,
        log_path: Path | None = None,
        start_timeout_seconds: float = 60.0,
    ) -> None:
        super().__init__(data_dir, port, log_path, start_timeout_seconds)

    @property
    def url(self) -> str:
        """The address for HTTP clients, without a database."""
        return f"http://{LOOPBACK}:{self.port}"

    def url_for(self, database: str) -> str:
        """The address of one database."""
        return f"{self.url}/{database}"

    async def create_database(self, name: str) -> str:
        """Make the database unless it exists; its URL."""
        await self._execute(f"CREATE DATABASE IF NOT EXISTS `{name}`")
        return self.url_for(name)

    async def drop_database(self, name: str) -> None:
        """Remove the database and its tables."""
        await self._execute(f"DROP DATABASE IF EXISTS `{name}` SYNC")

    async def _begin(self) -> None:
        if self._wanted_port:
            self._check_port(self._wanted_port)
        ports_file = self._folder.path / "ports.json"
        ports_file.unlink(missing_ok=True)
        process = ChildProcess("ClickHouse engine", self._argv(ports_file), self._log_path)
        await self._run(process)
        content = await process.ready_file(ports_file, self._start_timeout_seconds)
        self.port = json.loads(content)["http"]

    def _argv(self, ports_file: Path) -> list[str | Path]:
        return [
            *(sys.executable, "-m", "mesh.embedded.clickhouse_server"),
            *("--data", self._folder.path, "--port", str(self._wanted_port)),
            *("--ports-file", ports_file),
        ]

    async def _execute(self, statement: str) -> None:
        request = Request(f"{self.url}/?query={quote(statement)}", method="POST")
        await asyncio.to_thread(_send, request)


def _send(request: Request) -> None:
    # Whatever proxy the environment names, this server is on the same machine.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(request, timeout=_STATEMENT_TIMEOUT_SECONDS) as answer:
            answer.read()
    except HTTPError as error:
        with error:
            raise RuntimeError(error.read().decode()) from None
