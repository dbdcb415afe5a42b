"""Tasks that are ended, also those that did not hear it the first time."""

import asyncio
from contextlib import suppress

from mesh.cancelling import cancelled


async def test_a_task_that_forgets_its_first_cancellation_ends_all_the_same() -> None:
    forgotten = asyncio.Event()

    async def forgetting() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        forgotten.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(forgetting())
    await asyncio.sleep(0)

    async with asyncio.timeout(60):
        await cancelled(task)

    assert forgotten.is_set()
    assert task.cancelled()


async def test_a_task_that_has_failed_has_ended() -> None:
    async def failing() -> None:
        raise OSError("away")

    task = asyncio.create_task(failing())
    await asyncio.wait([task])

    await cancelled(task)

    assert isinstance(task.exception(), OSError)
