"""Reading that holds something dear, and so is given up after a while, wherever its reader is."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Generic, TypeVar

Part = TypeVar("Part")

_PARTS_AHEAD: Final = 2


class Sprint(Generic[Part]):
    """What a source gives within so many seconds; then the source is closed, and what it held is
    free, though the reader may take what was read much later."""

    def __init__(self, source: AsyncGenerator[Part, None], seconds_max: float) -> None:
        self.is_whole = False
        """Whether the source came to its end; known after the last part."""
        self._source = source
        self._seconds_max = seconds_max
        self._failure: Exception | None = None

    async def parts(self) -> AsyncGenerator[Part, None]:
        """The parts; raises what the source raises."""
        held: asyncio.Queue[Part | None] = asyncio.Queue(_PARTS_AHEAD)
        running = asyncio.create_task(self._run(held))
        try:
            while (part := await held.get()) is not None:
                yield part
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    async def _run(self, held: "asyncio.Queue[Part | None]") -> None:
        try:
            async with asyncio.timeout(self._seconds_max), aclosing(self._source) as source:
                async for part in source:
                    await held.put(part)
            self.is_whole = True
        except TimeoutError:
            pass
        except Exception as failure:
            self._failure = failure
        await held.put(None)
