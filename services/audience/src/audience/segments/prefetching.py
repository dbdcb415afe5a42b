"""Reading one ahead: the next part is asked for while the consumer is busy with this one."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

T = TypeVar("T")


async def ahead(source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """What the source gives, each part asked for before the one before it is done with."""
    asking = asyncio.ensure_future(following(source))
    try:
        while (found := await asking) is not None:
            asking = asyncio.ensure_future(following(source))
            yield found
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await source.aclose()


async def following(source: AsyncGenerator[T, None]) -> T | None:
    """The next part; None after the last."""
    async for found in source:
        return found
    return None
