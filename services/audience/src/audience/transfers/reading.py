"""A job's file as chunks of rows: packed or not, in lines or Parquet, from its last place on."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple, Protocol

from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.errors import InvalidArgument
from mesh.pulling import Seekable

from audience.tables import ImportJobRow
from audience.transfers import compression, formats
from audience.transfers.chunks import Chunk, ChunkReader
from audience.transfers.limits import Limits
from audience.transfers.lines import LineReader
from audience.transfers.parquet_format import ParquetChunks
from audience.transfers.sources import Sources

PARQUET_BYTES_MIN: Final = 12
"""Two magic words and the length of the footer."""


class Written(NamedTuple):
    """How a file is written, and what said so."""

    format: int
    evidence: int
    compression: int


class Chunks(Protocol):
    """The rest of a file, by chunks."""

    async def next(self) -> Chunk | None:
        """The next chunk, None after the last."""
        ...


class Reading:
    """Reads the files of jobs."""

    def __init__(
        self,
        sources: Sources,
        now: Callable[[], datetime],
        limits: Limits,
    ) -> None:
        self._sources = sources
        self._now = now
        self._limits = limits

    async def look(self, job: ImportJobRow) -> Written:
        """How the job's file is written, by its spec, its first bytes, or its name."""
        spec = pb.ImportSpec.FromString(job.spec)
        async with aclosing(self._sources.blocks(job, 0)) as stored:
            head = await anext(stored, b"")
        packed = compression.decided(spec.compression, head)
        if packed != pb.PLAIN:
            async with aclosing(self._blocks(job, packed, 0)[0]) as unpacked:
                head = await anext(unpacked, b"")
        found = formats.found(head, spec.format, job.source)
        if found.format == pb.PARQUET and packed != pb.PLAIN:
            message = "Parquet inside a compressed file: unpack it, it is compressed by itself"
            raise InvalidArgument("IMPORT_FORMAT_UNSUPPORTED", message)
        return Written(found.format, found.evidence, packed)

    @asynccontextmanager
    async def chunks(
        self, job: ImportJobRow, written: Written, country: str
    ) -> AsyncIterator[Chunks]:
        """What follows the last committed row; phone numbers without `+` are of the country."""
        if written.format == pb.PARQUET:
            yield self._parquet(job, country)
            return
        async with aclosing(self._blocks(job, written.compression, 0)[0]) as blocks:
            head = await self._lines(blocks).take(formats.HEADER_LINES_MAX)
        form = formats.opened(head, written.format, country)
        offset, line = job.processed_bytes, job.processed_lines
        if not line:
            offset, line = sum(map(len, head[: form.header_lines])), form.header_lines
        blocks, unpacked = self._blocks(job, written.compression, offset)
        stored = (lambda: unpacked.stored_bytes) if unpacked else (lambda: 0)
        async with aclosing(blocks):
            yield ChunkReader(
                *(job.application, self._lines(blocks), form, self._now, stored),
                offset=offset,
                line=line,
                lines=self._limits.chunk_lines,
            )

    def _lines(self, blocks: AsyncIterator[bytes]) -> LineReader:
        return LineReader(blocks, self._limits.line_bytes_max)

    def _blocks(
        self, job: ImportJobRow, packed: int, offset: int
    ) -> tuple[AsyncGenerator[bytes, None], compression.Unpacked | None]:
        """The bytes from a place on, as they are unpacked; a packed file is read from its start."""
        if packed == pb.PLAIN:
            return self._sources.blocks(job, offset), None
        stored = self._sources.blocks(job, 0)
        unpacked = compression.Unpacked(stored, packed, self._limits)
        return unpacked.blocks(offset), unpacked

    def _parquet(self, job: ImportJobRow, country: str) -> ParquetChunks:
        if job.total_bytes < PARQUET_BYTES_MIN:
            raise InvalidArgument("PARQUET_INVALID", "the Parquet file is cut off")
        file = Seekable(partial(self._sources.at, job), job.total_bytes)
        return ParquetChunks(
            *(job.application, file, job.total_bytes, self._now, job.processed_lines),
            *(self._limits.chunk_lines, country),
        )
