"""The command line that all peers share: where to keep data, where to listen, when to end."""

import argparse
import asyncio
import errno
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson

Ports = dict[str, int]


@dataclass(frozen=True)
class Options:
    """`port` and `control_port` 0 pick free ones; peers with TLS share `authority_dir`."""

    data_dir: Path
    port: int
    control_port: int
    authority_dir: Path


def run(program: str, serve: Callable[[Options, AsyncExitStack], Awaitable[Ports]]) -> None:
    """Serve until SIGTERM or SIGINT.

    `serve` starts the peer, leaves its end on the stack and returns its ports by name, which are
    then written to --ports-file as one JSON object, whole or not at all.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--data", type=Path, required=True, help="folder for the journal")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: a free port")
    parser.add_argument("--control-port", type=int, default=0, help="where to be controlled")
    parser.add_argument("--authority", type=Path, help="folder of the certificate authority")
    parser.add_argument("--ports-file", type=Path, help="written once the peer is ready")
    arguments = parser.parse_args()
    options = Options(
        arguments.data,
        arguments.port,
        arguments.control_port,
        arguments.authority or arguments.data,
    )
    try:
        asyncio.run(_serve_until_told(options, arguments.ports_file, serve))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        parser.error(f"a port is in use by another program: {error.strerror}")


async def _serve_until_told(
    options: Options,
    ports_file: Path | None,
    serve: Callable[[Options, AsyncExitStack], Awaitable[Ports]],
) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with AsyncExitStack() as stack:
        ports = await serve(options, stack)
        if ports_file is not None:
            fresh = ports_file.with_name(ports_file.name + ".new")
            fresh.write_bytes(orjson.dumps(ports))
            os.replace(fresh, ports_file)
        await told.wait()
