"""One service as a process: migrated, started, and ready when its health check says so."""

import sys
from collections.abc import Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mesh.embedded.errors import CannotStartError, PortInUseError
from mesh.embedded.leftover import ProcessRecord
from mesh.embedded.ports import LOOPBACK, is_free
from mesh.embedded.process import ChildProcess

_START_TIMEOUT_SECONDS = 60.0
_MIGRATION_TIMEOUT_SECONDS = 600.0
"""A start that migrates first may have large tables to go through."""
_HEALTH_TIMEOUT_SECONDS = 10.0
_STOP_GRACE_SECONDS = 20.0


class ServiceProcess:
    """`python -m <name>`, always on the same port."""

    def __init__(
        self,
        name: str,
        folder: Path,
        port: int,
        environment: Mapping[str, str],
        log_path: Path,
    ) -> None:
        self.name = name
        self.port = port
        self._folder = folder
        self._ports_file = folder / "ports.json"
        self._environment = {
            **environment,
            "HELIOGRAPH_LISTEN": self.address,
            "HELIOGRAPH_PORTS_FILE": str(self._ports_file),
            "PYTHONUNBUFFERED": "1",
        }
        self._log_path = log_path
        self.process = self._child("up")
        self._is_migrated = False

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start, the first time with a migration of its database before; serving on return.

        Raises a CannotStartError that says what to do.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._ports_file.unlink(missing_ok=True)
        record = ProcessRecord(self._folder / "process.json")
        await record.end_leftover()
        if not is_free(self.port):
            raise PortInUseError(LOOPBACK, self.port)
        if self._is_migrated:
            self.process = self._child("serve")
        await self.process.start()
        record.remember(self.process.pid)
        seconds = _START_TIMEOUT_SECONDS if self._is_migrated else _MIGRATION_TIMEOUT_SECONDS
        await self.process.ready_file(self._ports_file, seconds)
        self._is_migrated = True
        await self._await_health()

    async def stop(self) -> None:
        """Let it finish what it is at, then end it."""
        await self.process.stop(_STOP_GRACE_SECONDS)

    async def _await_health(self) -> None:
        async with grpc.aio.insecure_channel(self.address) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            try:
                answer = await check(
                    health_pb2.HealthCheckRequest(),
                    timeout=_HEALTH_TIMEOUT_SECONDS,
                    wait_for_ready=True,
                )
            except grpc.aio.AioRpcError as error:
                raise self.process.failure(f"does not answer: {error.details()}") from None
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise CannotStartError(f"{self.name} is up but says that it does not serve")

    def _child(self, command: str) -> ChildProcess:
        argv = [sys.executable, "-m", self.name, command]
        return ChildProcess(
            f"{self.name} {command}", argv, self._log_path, environment=self._environment
        )
