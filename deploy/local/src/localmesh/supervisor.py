"""The whole mesh on one machine: what is started in which order, kept running, and ended."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mesh.embedded.folder import DataFolder

from localmesh import assembly, providers
from localmesh.environment import Surroundings
from localmesh.kept import KeptRunning, Runnable
from localmesh.keys import Keys
from localmesh.layout import Layout
from localmesh.mesh_file import MeshFile
from localmesh.peers.authority import Authority
from localmesh.peers.remote import RemotePeer
from localmesh.peers.running import PeerProcess
from localmesh.ports import PortBook
from localmesh.tokens import LONG_HOURS, mint_with

_KILL_TIMEOUT_SECONDS = 60.0


class LocalMesh:
    """`async with LocalMesh(folder) as mesh: …`; a mesh in a folder is the same at every start.

    Nothing of it outlives this process, however that ends. `report` is told what happens, a line
    at a time. `durable=False` is for tests: PostgreSQL does not wait for the disk. `settings` are
    told to all services, by name: `{"trace_ratio": "1"}`; each takes those that it has.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        report: Callable[[str], None] = lambda line: None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.layout = Layout(data_dir)
        self._report = report
        self._folder = DataFolder(self.layout.root, "Heliograph mesh 1")
        self._durable = durable
        self._settings = dict(settings or {})
        self._layers: list[list[KeptRunning]] = []
        self._peers: dict[str, PeerProcess] = {}
        self._moved: dict[str, int] = {}
        self._description: MeshFile | None = None
        self._around: Surroundings | None = None

    @property
    def description(self) -> MeshFile:
        """Addresses, token, peers and providers; valid while it runs."""
        assert self._description is not None
        return self._description

    @property
    def moved_peers(self) -> Mapping[str, int]:
        """The former port of each peer that moved at this start; channels may still lead there."""
        return {name: port for name, port in self._moved.items() if name in self._peers}

    def peer(self, name: str) -> RemotePeer:
        """The control door of `carrier`, `mailbox` or `fcm`."""
        return self._peers[name].remote

    async def start(self) -> None:
        """Start everything; all of it serves on return.

        Raises a CannotStartError that says what to do; then nothing runs.
        """
        self._folder.claim()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything, in reverse; data and journals stay in the folder."""
        self._description = None
        self.layout.mesh_file.unlink(missing_ok=True)
        while self._layers:
            await asyncio.gather(*(one.stop() for one in self._layers.pop()))
        self._folder.release()

    async def kill(self, name: str, timeout_seconds: float = _KILL_TIMEOUT_SECONDS) -> None:
        """SIGKILL to one process, by the name it has in `pids`; it serves again on return."""
        await self._kept()[name].kill(timeout_seconds)

    @asynccontextmanager
    async def replica(self, name: str) -> AsyncIterator[KeptRunning]:
        """One more process of a service, kept running for the time of the block.

        It shares the work on the bus and in the database; who dials the service finds the first.
        """
        assert self._around is not None
        process = assembly.replica(self.layout, self._ports, self._around, name)
        kept = KeptRunning(process.name, process, self._report, lambda: None)
        await kept.start()
        try:
            yield kept
        finally:
            await kept.stop()

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

    async def _start(self) -> None:
        layout = self.layout
        self._ports = ports = PortBook(layout.ports_file, self._report)
        keys = Keys(layout.keys)
        Authority(layout.authority)
        servers = assembly.servers(layout, ports, self._durable)
        self._peers = assembly.peers(layout, ports)
        self._moved = ports.moved
        await self._start_layer({**vars(servers), **self._peers})
        around = await assembly.surroundings(layout, ports, keys, servers, self._settings)
        self._around = around
        await self._start_layer(assembly.services(layout, ports, around))
        self._description = self._described(around, keys)
        self._write_mesh_file()

    async def _start_layer(self, runnables: Mapping[str, Runnable]) -> None:
        layer = [
            KeptRunning(name, runnable, self._report, self._write_mesh_file)
            for name, runnable in runnables.items()
        ]
        self._layers.append(layer)
        await _together(*(self._start_one(one) for one in layer))

    async def _start_one(self, one: KeptRunning) -> None:
        await one.start()
        self._report(f"{one.name} is ready")

    def _described(self, around: Surroundings, keys: Keys) -> MeshFile:
        return MeshFile(
            addresses=dict(around.addresses),
            token=mint_with(keys, ["*"], "admin", "local", LONG_HOURS),
            peers={name: peer.control_url for name, peer in self._peers.items()},
            providers=providers.of_peers(self._peers),
            databases=dict(around.databases),
            nats=around.nats_url,
            clickhouse=around.clickhouse_url,
            logs=str(self.layout.logs),
        )

    def _write_mesh_file(self) -> None:
        if self._description is not None:
            pids = {name: one.pid for name, one in self._kept().items()}
            self._description = replace(self._description, pids=pids)
            self._description.write(self.layout.mesh_file)

    def _kept(self) -> dict[str, KeptRunning]:
        return {one.name: one for layer in self._layers for one in layer}


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    """All at once; the first failure ends the others and is raised itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
