"""Waiting for `NOTIFY`, bounded, on a connection that is made again when it is lost."""

from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Self

import asyncpg
from mesh.waking import Wakeup

CONNECT_TIMEOUT_SECONDS = 5


class Listener:
    """`async with Listener(url, "outbox") as listener: await listener.wait(1.0)`.

    Of several channels, `heard` tells which ones there was something on.
    """

    def __init__(self, database_url: str, *channels: str) -> None:
        self._database_url = database_url
        self._channels = channels
        self._heard: set[str] = set()
        self._notified = Wakeup()
        self._connection: Any = None

    async def wait(self, timeout_seconds: float) -> bool:
        """Whether there was a notification since the last call, within `timeout_seconds`.

        Without a connection it waits that time and says no: notifications only save waiting.
        """
        await self._ensure_connection()
        return await self._notified.wait(timeout_seconds)

    def heard(self) -> set[str]:
        """The channels on which there was a notification since the last call."""
        heard, self._heard = self._heard, set()
        return heard

    async def __aenter__(self) -> Self:
        await self._ensure_connection()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            await _quietly(self._connection.close(timeout=CONNECT_TIMEOUT_SECONDS))

    async def _ensure_connection(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            return
        self._connection = None
        connection = await _quietly(
            asyncpg.connect(self._database_url, timeout=CONNECT_TIMEOUT_SECONDS)
        )
        if connection is None:
            return
        for channel in self._channels:
            await _quietly(connection.add_listener(channel, self._on_notification))
        self._connection = connection
        # What was notified while nobody listened is not repeated.
        self._heard.update(self._channels)
        self._notified.wake()

    def _on_notification(self, _connection: object, _pid: int, channel: str, _: object) -> None:
        self._heard.add(channel)
        self._notified.wake()


async def _quietly(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
