"""The ClickHouse engine in one folder and a process of its own, behind its HTTP protocol."""

import asyncio
import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from mesh.embedded.errors import PortInUseError
from mesh.embedded.folder import DataFolder
from mesh.embedded.ports import LOOPBACK, is_free
from mesh.embedded.process import ChildProcess

_STATEMENT_TIMEOUT_SECONDS = 60.0


class ClickHouseServer:
    """`async with ClickHouseServer(folder) as server: get_client(dsn=server.url_for("events"))`.

    `port` 0 picks a free one. Acknowledged inserts survive a killed server.
    """

    def __init__(
        self,
        data_dir: Path | str,
        port: int = 0,
        *,
        log_path: Path | None = None,
        start_timeout_seconds: float = 60.0,
    ) -> None:
        self._folder = DataFolder(Path(data_dir), "ClickHouse engine 26")
        self._wanted_port = port
        self._log_path = log_path or self._folder.path / "log"
        self._start_timeout_seconds = start_timeout_seconds
        self._process: ChildProcess | None = None
        self.port = port

    @property
    def url(self) -> str:
        """The address for HTTP clients, without a database."""
        return f"http://{LOOPBACK}:{self.port}"

    def url_for(self, database: str) -> str:
        """The address of one database."""
        return f"{self.url}/{database}"

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
        """Start; ready for queries on return. Raises a CannotStartError that says what to do."""
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
        """End the server after the queries it is at."""
        if self._process is not None:
            await self._process.stop(grace_seconds=30)
        self._folder.release()

    async def create_database(self, name: str) -> str:
        """Make the database unless it exists; its URL."""
        await self._execute(f"CREATE DATABASE IF NOT EXISTS `{name}`")
        return self.url_for(name)

    async def drop_database(self, name: str) -> None:
        """Remove the database and its tables."""
        await self._execute(f"DROP DATABASE IF EXISTS `{name}` SYNC")

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
        ports_file = self._folder.path / "ports.json"
        ports_file.unlink(missing_ok=True)
        self._process = ChildProcess("ClickHouse engine", self._argv(ports_file), self._log_path)
        await self._process.start()
        self._folder.process_record.remember(self._process.pid)
        content = await self._process.ready_file(ports_file, self._start_timeout_seconds)
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
