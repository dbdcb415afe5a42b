"""Answering a stream of requests: many at work at the same time, the answers in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")


async def in_order(
    requests: AsyncIterator[Request],
    answer: Callable[[Request], Awaitable[Answer]],
    window: int,
) -> AsyncIterator[Answer]:
    """The answers in the order of the requests, of which at most `window` are at work.

    When the caller stops reading, no more requests are read. What fails ends the stream.
    """
    working: asyncio.Queue[asyncio.Task[Answer] | None] = asyncio.Queue(window)

    async def read() -> None:
        try:
            async for request in requests:
                await working.put(asyncio.ensure_future(answer(request)))
        finally:
            await working.put(None)

    reading = asyncio.create_task(read())
    try:
        while (task := await working.get()) is not None:
            yield await task
        await reading
    finally:
        await _cancel(reading, working)


async def _cancel(
    reading: "asyncio.Task[None]", working: "asyncio.Queue[asyncio.Task[Answer] | None]"
) -> None:
    """Ends what is still at work; a send that has begun is in the ledger or is not."""
    reading.cancel()
    while not working.empty():
        left = working.get_nowait()
        if left is not None:
            left.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await reading
