"""`python -m mesh.embedded.clickhouse_server`: the ClickHouse engine behind its HTTP protocol."""

import argparse
import asyncio
import json
import os
import signal
import time
from contextlib import closing
from pathlib import Path

from mesh.embedded.clickhouse_engine import Engine
from mesh.embedded.clickhouse_http import ClickHouseHttp
from mesh.embedded.http_server import HttpServer
from mesh.embedded.ports import LOOPBACK


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m mesh.embedded.clickhouse_server")
    parser.add_argument("--data", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: a free port")
    parser.add_argument("--ports-file", type=Path, help="written once queries are served")
    arguments = parser.parse_args()
    data: Path = arguments.data.absolute()
    ports_file: Path | None = arguments.ports_file and arguments.ports_file.absolute()
    data.mkdir(parents=True, exist_ok=True)
    # The engine leaves the schemas it was sent in its working folder.
    os.chdir(data)
    os.environ["TZ"] = "UTC"
    time.tzset()
    with closing(Engine(data / "store")) as engine:
        asyncio.run(_serve(engine, arguments.port, ports_file))


async def _serve(engine: Engine, port: int, ports_file: Path | None) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    with closing(ClickHouseHttp(engine)) as front:
        server = HttpServer(front.answer)
        bound = await server.start(LOOPBACK, port)
        if ports_file is not None:
            fresh = ports_file.with_name(ports_file.name + ".new")
            fresh.write_text(json.dumps({"http": bound}))
            os.replace(fresh, ports_file)
        await told.wait()
        await server.stop()


if __name__ == "__main__":
    main()
