"""The `heliograph` command against this room: several commands in one process, as starting one
costs more than what it does."""

import asyncio
import json
import os
import sys
from asyncio import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVICES = ("AUDIENCE", "CAMPAIGN", "MESSAGING", "ANALYTICS", "TWOWAY")
TIMEOUT_SECONDS = 60

DRIVER = """
import contextlib, io, json, sys
from heliograph.cli.__main__ import app

def told(words):
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app(words)
        except SystemExit as ended:
            status = ended.code or 0
            if isinstance(status, str):
                status, _ = 1, err.write(status)
    return status, out.getvalue(), err.getvalue()

lines = json.load(sys.stdin)
json.dump([told(words) for words in lines], sys.stdout)
"""


@dataclass
class Told:
    """What a command answered."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed with `--json`."""
        assert self.status == 0, self.err
        return json.loads(self.out)


Commands = Callable[..., Awaitable[list[Told]]]


def commands(address: str, token: str, folder: Path) -> Commands:
    """`await run([word, …], …)`: run commands one after the other; what each answered."""
    addresses = {f"HELIOGRAPH_{service}_ADDRESS": address for service in SERVICES}
    environment = {**os.environ, **addresses, "HELIOGRAPH_TOKEN": token}

    async def run(*lines: list[str]) -> list[Told]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", DRIVER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
        )
        async with asyncio.timeout(TIMEOUT_SECONDS):
            out, complaints = await process.communicate(json.dumps(lines).encode())
        assert process.returncode == 0, complaints.decode()
        return [Told(*answer) for answer in json.loads(out)]

    return run
