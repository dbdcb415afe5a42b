"""The connections of a channel: handed out one by one, watched while the server is away."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mesh.telemetry import logging

from messaging.channels.smtp.configuration import RECONNECT, Configuration
from messaging.channels.smtp.connection import Connection

_log = logging.get(__name__)

_CLOSE_GRACE_SECONDS = 5.0


class Pool:
    """A fixed number of connections; those used last are used first, so that idle ones rest."""

    def __init__(self, configuration: Configuration) -> None:
        self._connections = [Connection(configuration) for _ in range(configuration.connections)]
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self._away = asyncio.Event()
        self._away.set()
        self._failure = ""
        for connection in self._connections:
            self._free.put_nowait(connection)

    @property
    def is_reachable(self) -> bool:
        """Whether the last connection that was wanted could be had."""
        return not self._away.is_set()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for one mail."""
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)
            self._note(connection.failure)

    async def watch(self) -> None:
        """Connects, and again whenever the server was away, until cancelled."""
        failed = 0
        while True:
            await self._away.wait()
            async with self.connection() as connection:
                await connection.connect()
            if self.is_reachable:
                failed = 0
                continue
            failed += 1
            await asyncio.sleep(RECONNECT.after(failed) * random.uniform(0.5, 1.0))

    async def close(self) -> None:
        """Lets mails under way end, within some seconds, then closes everything."""
        try:
            async with asyncio.timeout(_CLOSE_GRACE_SECONDS):
                for _ in self._connections:
                    await (await self._free.get()).close()
        except TimeoutError:
            _log.warning("smtp.closed_under_way")
        for connection in self._connections:
            connection.drop()

    def _note(self, failure: str) -> None:
        """Logs a failure once, and again only when it changes."""
        if failure and failure != self._failure:
            _log.warning("smtp.not_connected", reason=failure)
        self._failure = failure
        if failure:
            self._away.set()
        else:
            self._away.clear()
