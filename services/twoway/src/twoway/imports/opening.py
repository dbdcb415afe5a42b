"""The file of an import as bytes to read from a thread, unpacked where it is packed by gzip."""

import gzip
import io
import zlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import IO, Any, Final, cast

from mesh.errors import InvalidArgument, ResourceExhausted
from mesh.objects.sources import FileFacts, Files
from mesh.pulling import Pulled

from twoway.imports.tables import OptedOutImportRow

_GZIP: Final = b"\x1f\x8b"

RATIO_MAX: Final = 200
"""Lists of numbers pack to a tenth; what unpacks to more is made to."""

FREE_BYTES: Final = 64 * 1024 * 1024
"""What a small file may unpack to, whatever the ratio."""


@asynccontextmanager
async def opened(files: Files, row: OptedOutImportRow) -> AsyncIterator[IO[bytes]]:
    """The whole file. Ask for its bytes in a thread: the event loop brings them."""
    if not row.path:
        yield io.BytesIO(row.content)
        return
    facts = FileFacts(row.path, row.size_bytes, row.changed_seconds, row.etag, row.uri)
    async with aclosing(files.blocks(row.application, facts)) as blocks:
        yield io.BufferedReader(_Opening(Pulled(blocks)))


class _Opening(io.RawIOBase):
    """Looks at the first bytes when they are asked for, as only a thread may ask."""

    def __init__(self, pulled: Pulled) -> None:
        self._pulled = pulled
        self._stored = io.BufferedReader(pulled)
        self._bytes: IO[bytes] | None = None
        self._unpacked = 0

    def readable(self) -> bool:
        """As a file that is open for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes, 0 of them at the end; refuses what is damaged, or a bomb."""
        if self._bytes is None:
            self._bytes = self._opened()
        try:
            data = self._bytes.read(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _damaged(self._pulled.taken, error) from None
        self._unpacked += len(data)
        if self._unpacked > FREE_BYTES + RATIO_MAX * self._pulled.taken:
            message = f"the file unpacks to more than {RATIO_MAX} times its size"
            raise ResourceExhausted("UNPACKED_TOO_LARGE", message)
        buffer[: len(data)] = data
        return len(data)

    def _opened(self) -> IO[bytes]:
        if self._stored.peek(2)[:2] != _GZIP:
            return self._stored
        return cast(IO[bytes], gzip.GzipFile(fileobj=self._stored))


def _damaged(place: int, error: Exception) -> InvalidArgument:
    wrong = "cut off" if isinstance(error, EOFError) else "damaged"
    message = f"the gzip file is {wrong} after byte {place}"
    return InvalidArgument("COMPRESSION_INVALID", message, byte=str(place))
