"""A file cut into chunks of rows, each parsed, checked and merged ahead in a thread of its own."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from audience.endpoints.prepared import Prepared
from audience.transfers.failures import Failure
from audience.transfers.lines import LineReader
from audience.transfers.rows import Format, Users


class Chunk(NamedTuple):
    """Some rows of a file, and where the file goes on after them, in the terms of ImportJobRow."""

    prepared: Prepared
    lines: list[int]
    failures: list[Failure]
    users: Users
    offset: int
    line: int
    stored_bytes: int


class ChunkReader:
    """Chunks of at least `lines` lines from `offset` on, of which `line` lines are before.

    `stored_bytes` tells how far that is in a compressed file, and 0 for others.
    """

    def __init__(
        self,
        application: str,
        reader: LineReader,
        form: Format,
        now: Callable[[], datetime],
        stored_bytes: Callable[[], int],
        *,
        offset: int,
        line: int,
        lines: int,
    ) -> None:
        self._application = application
        self._reader = reader
        self._format = form
        self._now = now
        self._stored_bytes = stored_bytes
        self._offset = offset
        self._line = line
        self._lines = lines

    async def next(self) -> Chunk | None:
        """The next chunk, None after the last."""
        wanted = self._lines
        while lines := await self._reader.take(wanted):
            chunk = await asyncio.to_thread(self._parse, lines, at_end=self._reader.is_done)
            consumed = chunk.line - self._line
            self._reader.give_back(lines[consumed:])
            if consumed:
                self._offset, self._line = chunk.offset, chunk.line
                return chunk
            wanted *= 2  # one row is longer than all these lines
        return None

    def _parse(self, lines: list[bytes], *, at_end: bool) -> Chunk:
        rows = self._format.rows(lines, self._line + 1, at_end=at_end)
        consumed = lines[: rows.consumed]
        return Chunk(
            Prepared(self._application, rows.patches, self._now()),
            rows.lines,
            rows.failures,
            rows.users,
            self._offset + sum(map(len, consumed)),
            self._line + rows.consumed,
            self._stored_bytes(),
        )
