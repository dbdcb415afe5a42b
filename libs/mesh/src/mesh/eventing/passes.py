"""Erasing until nothing is found: what is written during one pass is found by a later one."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime


async def until_nothing_is_found(
    erase: Callable[[], Awaitable[int]], settle_time: datetime
) -> None:
    """Pass after pass, of which each tells how much it has found, until one that began at
    `settle_time` or later has found nothing."""
    while True:
        begin_time = datetime.now(UTC)
        if await erase():
            continue
        if begin_time >= settle_time:
            return
        await asyncio.sleep((settle_time - begin_time).total_seconds())
