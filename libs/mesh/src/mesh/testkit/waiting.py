"""Waiting for a fact, bounded, so that no test sleeps for a guessed time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

Fact = TypeVar("Fact")

INTERVAL_SECONDS = 0.02
TIMEOUT_SECONDS = 60.0
"""It bounds what would never end; a machine that has other work is slow at moments."""


async def eventually(
    probe: Callable[[], Fact | Awaitable[Fact]], timeout_seconds: float = TIMEOUT_SECONDS
) -> Fact:
    """The first truthy value of `probe`, asked again and again for `timeout_seconds`.

    The probe may be a plain or an async function. An `AssertionError` from it counts as "not yet".
    Raises the last `AssertionError`, or one that shows the last value, when the time is over.
    """
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while True:
        failure = AssertionError(f"never became true within {timeout_seconds} s")
        try:
            value = probe()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            failure.add_note(f"last value: {value!r}")
        except AssertionError as error:
            failure = error
        if asyncio.get_running_loop().time() > deadline:
            raise failure
        await asyncio.sleep(INTERVAL_SECONDS)
