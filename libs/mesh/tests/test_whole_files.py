"""A file is whole or not there, whenever its writer stops."""

import asyncio
import threading
from pathlib import Path

import pytest
from mesh.objects.whole_files import WholeFile, opened


class Words(WholeFile):
    """A file of a few words, opened when it is allowed."""

    def __init__(self, path: Path, allowed: threading.Event | None = None) -> None:
        super().__init__(path)
        if allowed:
            allowed.wait(10)
        self.text = self._open.enter_context(self._partial.open("w"))

    def _complete(self) -> None:
        self.text.flush()


def found(folder: Path) -> dict[str, str]:
    """What is in the folder."""
    return {path.name: path.read_text() for path in folder.iterdir()}


async def test_a_finished_file_is_in_its_place(tmp_path: Path) -> None:
    async with opened(lambda: Words(tmp_path / "words")) as file:
        file.text.write("hello")
        file.finish()

    assert found(tmp_path) == {"words": "hello"}


async def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    async def write() -> None:
        async with opened(lambda: Words(tmp_path / "words")) as file:
            file.text.write("hel")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()

    assert not found(tmp_path)


async def test_nothing_is_left_of_a_file_that_was_called_off_while_it_was_opened(
    tmp_path: Path,
) -> None:
    allowed, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def make() -> Words:
        loop.call_soon_threadsafe(begun.set)
        return Words(tmp_path / "words", allowed)

    async def write() -> None:
        async with opened(make):
            pytest.fail("it was called off")

    writing = asyncio.create_task(write())
    await begun.wait()
    writing.cancel()
    allowed.set()
    await asyncio.wait([writing])

    assert writing.cancelled()
    assert not found(tmp_path)
