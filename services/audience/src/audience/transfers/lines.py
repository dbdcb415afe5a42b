"""A file as lines of bytes, with room for as many as are asked for and no more."""

from collections.abc import AsyncIterator
from typing import Final

from mesh.errors import InvalidArgument

BOM: Final = b"\xef\xbb\xbf"


class LineReader:
    """Lines of blocks of bytes, line ends kept; any of `\\n`, `\\r\\n` and `\\r` ends a line.

    One of more than `bytes_max` bytes raises InvalidArgument with reason `ROW_TOO_LONG`.
    """

    def __init__(self, blocks: AsyncIterator[bytes], bytes_max: int) -> None:
        self._blocks = blocks
        self._bytes_max = bytes_max
        self._partial = b""
        self._lines: list[bytes] = []
        self.at_end = False

    async def take(self, count: int) -> list[bytes]:
        """The next lines, `count` of them while the file lasts."""
        while len(self._lines) < count and not self.at_end:
            await self._read_block()
        taken, self._lines = self._lines[:count], self._lines[count:]
        return taken

    def give_back(self, lines: list[bytes]) -> None:
        """Lines that begin a row whose end has not been read yet."""
        self._lines = lines + self._lines

    @property
    def is_done(self) -> bool:
        """Whether every line has been taken."""
        return self.at_end and not self._lines

    async def _read_block(self) -> None:
        try:
            block = await anext(self._blocks)
        except StopAsyncIteration:
            self.at_end = True
            self._lines += [self._partial] if self._partial else []
            self._partial = b""
            return
        lines = (self._partial + block).splitlines(keepends=True)
        # The last line may go on, and a last \r may be the first half of \r\n.
        self._partial = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        self._lines += lines
        if len(self._partial) > self._bytes_max:
            raise InvalidArgument(
                "ROW_TOO_LONG",
                f"a line has more than {self._bytes_max} bytes: is it text, with a row a line?",
            )


def decoded(lines: list[bytes]) -> tuple[list[str], bool]:
    """The lines as text, and whether all are UTF-8. Other bytes become lone surrogates."""
    try:
        return [line.decode() for line in lines], True
    except UnicodeDecodeError:
        return [line.decode(errors="surrogateescape") for line in lines], False


def is_unicode(text: str) -> bool:
    """Whether a text came from UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
