"""A client behind which nobody does anything: what calls cost by themselves."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from heliograph.client import Client


@asynccontextmanager
async def answered_by_nobody(client: Client, service: str, method: str) -> AsyncIterator[Client]:
    """A client like this one; one method of one service, `package.Service.Method`, is answered by
    an empty handler in a process of its own."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "localmesh.bench.empty_server", method),
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    address = f"127.0.0.1:{int(await server.stdout.readline())}"
    known = client.connection
    elsewhere = replace(known, addresses={**known.addresses, service: address})
    try:
        async with Client(elsewhere) as empty:
            yield empty
    finally:
        server.terminate()
        await server.wait()
