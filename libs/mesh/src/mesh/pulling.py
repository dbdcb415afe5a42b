"""Bytes that an event loop has, read from a thread: by libraries that ask a file for them."""

import asyncio
import io
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

READ_TIMEOUT_SECONDS: Final = 120
SPAN_BYTES: Final = 1024 * 1024
SPANS_KEPT: Final = 32

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """Run work in a thread; when cancelled, only after its end.

    It reads what the caller closes next.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    finally:
        await asyncio.gather(running, return_exceptions=True)


class Pulled(io.RawIOBase):
    """Blocks, one after another. `taken` is how many bytes of them have been read."""

    def __init__(self, blocks: AsyncIterator[bytes]) -> None:
        self._blocks = blocks
        self._loop = asyncio.get_running_loop()
        self._rest = memoryview(b"")
        self.taken = 0

    def readable(self) -> bool:
        """As a file that is open for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes, 0 of them at the end."""
        if not self._rest:
            self._rest = memoryview(_wait(self._loop, self._next()))
        given = self._rest[: len(buffer)]
        buffer[: len(given)] = given
        self._rest = self._rest[len(given) :]
        self.taken += len(given)
        return len(given)

    async def _next(self) -> bytes:
        return await anext(self._blocks, b"")


class Seekable(io.RawIOBase):
    """A file of known size, read anywhere; what was read last is kept.

    `read_at` gives some bytes from a place on.
    """

    def __init__(self, read_at: Callable[[int], Awaitable[bytes]], size: int) -> None:
        self._read_at = read_at
        self._size = size
        self._loop = asyncio.get_running_loop()
        self._place = 0
        self._spans: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """As a file that is open for reading."""
        return True

    def seekable(self) -> bool:
        """As a file on a disk."""
        return True

    def tell(self) -> int:
        """Where the next bytes are read."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on elsewhere."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        """The next bytes, 0 of them at the end."""
        if self._place >= self._size:
            return 0
        start = self._place - self._place % SPAN_BYTES
        given = self._span(start)[self._place - start :][: len(buffer)]
        buffer[: len(given)] = given
        self._place += len(given)
        return len(given)

    def _span(self, start: int) -> bytes:
        if start not in self._spans:
            self._spans[start] = _wait(self._loop, self._fill(start))
            if len(self._spans) > SPANS_KEPT:
                self._spans.popitem(last=False)
        self._spans.move_to_end(start)
        return self._spans[start]

    async def _fill(self, start: int) -> bytes:
        wanted = min(SPAN_BYTES, self._size - start)
        parts: list[bytes] = []
        while wanted > 0:
            part = (await self._read_at(start))[:wanted]
            parts.append(part)
            start, wanted = start + len(part), wanted - len(part)
        return b"".join(parts)


def _wait(loop: asyncio.AbstractEventLoop, reading: Coroutine[Any, Any, bytes]) -> bytes:
    return asyncio.run_coroutine_threadsafe(reading, loop).result(READ_TIMEOUT_SECONDS)
