"""PostgreSQL from the wheel: whole folders only, no guests, nothing lost by a kill."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import asyncpg
import pytest
from mesh.embedded.errors import (
    CannotStartError,
    FolderInUseError,
    ForeignFolderError,
    PortInUseError,
)
from mesh.embedded.leftover import process_identity
from mesh.embedded.ports import free_port
from mesh.embedded.postgres import PostgresServer
from mesh.testkit.waiting import eventually

_START_TIMEOUT_SECONDS = 60


async def _ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def _server(folder: Path, **options) -> PostgresServer:
    return PostgresServer(folder, durable=False, **options)


async def test_what_was_committed_survives_a_killed_server(tmp_path: Path) -> None:
    async with _server(tmp_path / "pg") as server:
        url = await server.create_database("audience")
        await _ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
        assert server.process is not None
        await server.process.kill()
    async with _server(tmp_path / "pg") as server:
        assert await _ask(server.url_for("audience"), "SELECT number FROM kept") == 7


async def test_a_child_of_a_killed_server_is_waited_for(tmp_path: Path) -> None:
    async with _server(tmp_path / "pg") as killed:
        child = await asyncpg.connect(killed.url)
        os.kill(child.get_server_pid(), signal.SIGSTOP)
        assert killed.process is not None
        await killed.process.kill()
    with pytest.raises(CannotStartError, match="processes of a killed PostgreSQL still work in"):
        await _server(tmp_path / "pg", start_timeout_seconds=0.1).start()

    async def wake() -> None:
        os.kill(child.get_server_pid(), signal.SIGCONT)

    server = _server(tmp_path / "pg")
    await asyncio.gather(server.start(), wake())
    await server.stop()
    child.terminate()


async def test_making_a_database_twice_keeps_the_first(tmp_path: Path) -> None:
    async with _server(tmp_path / "pg") as server:
        url = await server.create_database("audience")
        await _ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
        assert await server.create_database("audience") == url
        copy = await server.create_database("copy", template="audience")
        assert await _ask(copy, "SELECT number FROM kept") == 7
        await server.drop_database("copy")
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await _ask(copy, "SELECT 1")


async def test_a_cluster_that_was_made_by_half_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    program = (
        "import asyncio, sys; from mesh.embedded.postgres import PostgresServer;"
        "asyncio.run(PostgresServer(sys.argv[1], durable=False).start())"
    )
    maker = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(folder))
    unfinished = "cluster.unfinished.*"
    await eventually(lambda: list(folder.glob(f"{unfinished}/PG_VERSION")), _START_TIMEOUT_SECONDS)
    maker.kill()
    await maker.wait()
    assert not (folder / "cluster").exists()
    async with _server(folder) as server:
        assert await _ask(server.url, "SELECT 1") == 1
    async with _server(folder):
        assert not list(folder.glob(unfinished))


async def test_a_stale_pid_file_does_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    async with _server(tmp_path / "pg"):
        pass
    pid_file = tmp_path / "pg" / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}\n1\n5432\n\n127.0.0.1\n\nready\n")
    async with _server(tmp_path / "pg") as server:
        assert await _ask(server.url, "SELECT 1") == 1


async def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    async with _server(tmp_path / "pg") as server:
        with pytest.raises(FolderInUseError, match="another process already works in"):
            await _server(tmp_path / "pg").start()
        assert await _ask(server.url, "SELECT 1") == 1


async def test_a_folder_with_somebody_elses_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(ForeignFolderError, match="give an empty or a new folder"):
        await _server(tmp_path).start()
    assert os.listdir(tmp_path) == ["diary.txt"]


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(CannotStartError, match="give a folder that you may write to"):
        await _server(tmp_path / "diary.txt" / "pg").start()


async def test_data_of_another_kind_of_server_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "KIND").write_text("PostgreSQL 9\n")
    with pytest.raises(ForeignFolderError, match="holds data of PostgreSQL 9"):
        await _server(tmp_path).start()


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    port = free_port()
    taken = pytest.raises(PortInUseError, match=f"port {port} on 127.0.0.1 is in use")
    with socket.create_server(("127.0.0.1", port)), taken:
        await _server(tmp_path / "pg", port=port).start()
    async with _server(tmp_path / "pg", port=port) as server:
        assert server.port == port


async def test_a_killed_parent_leaves_no_server_behind(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from mesh.embedded.postgres import PostgresServer\n"
        "async def main():\n"
        "    async with PostgresServer(sys.argv[1], durable=False) as server:\n"
        "        print(server.pid, flush=True); await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path / "pg"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(parent.stdout.readline(), _START_TIMEOUT_SECONDS))
    parent.send_signal(signal.SIGKILL)
    await parent.communicate()
    await eventually(lambda: process_identity(pid) == "", _START_TIMEOUT_SECONDS)
    async with _server(tmp_path / "pg") as server:
        assert await _ask(server.url, "SELECT 1") == 1
