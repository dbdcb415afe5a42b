"""Files as they are unpacked: gzip and zstd, with a bound on what comes out of them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.errors import Error, InvalidArgument, ResourceExhausted
from mesh.pulling import Pulled, in_thread

from audience.transfers.limits import Limits

if TYPE_CHECKING:
    import pyarrow

RATIO_MAX: Final = 200
"""Attributes that repeat themselves pack to a fiftieth; what unpacks to more is made to."""

MAGICS: Final = {b"\x1f\x8b": pb.GZIP, b"\x28\xb5\x2f\xfd": pb.ZSTD}
_CODECS: Final[dict[int, str]] = {pb.GZIP: "gzip", pb.ZSTD: "zstd"}


def found(head: bytes) -> int:
    """How a file is compressed that begins so."""
    return next((kind for magic, kind in MAGICS.items() if head.startswith(magic)), pb.PLAIN)


def decided(stated: int, head: bytes) -> int:
    """How a file is compressed, by its first bytes; refuses one that is not as stated."""
    kind = found(head)
    if stated in _CODECS and kind != stated:
        message = f"the import states {_CODECS[stated]}, and the file is none"
        raise InvalidArgument("COMPRESSION_INVALID", message, compression=_CODECS[stated])
    return stated or kind


class Unpacked:
    """The bytes of a compressed file, once; `stored_bytes` is how many of it were read."""

    def __init__(
        self, blocks: AsyncGenerator[bytes, None], compression: int, limits: Limits
    ) -> None:
        self._blocks = blocks
        self._codec = _CODECS[compression]
        self._limits = limits
        self._bytes = 0
        self._pulled = Pulled(blocks)

    @property
    def stored_bytes(self) -> int:
        """How many bytes of the compressed file were read."""
        return self._pulled.taken

    async def blocks(self, offset: int) -> AsyncGenerator[bytes, None]:
        """From `offset` on, a place in the file as it is unpacked."""
        async with aclosing(self._blocks):
            stream = _opened(self._pulled, self._codec)
            while block := await in_thread(lambda: self._read(stream)):
                before, self._bytes = self._bytes, self._bytes + len(block)
                self._refuse_bomb()
                if self._bytes > offset:
                    yield block[max(0, offset - before) :]

    def _read(self, stream: "pyarrow.CompressedInputStream") -> bytes:
        try:
            return bytes(stream.read(self._limits.unpacked_block_bytes))
        except OSError as error:
            raise self._invalid(str(error)) from None

    def _invalid(self, said: str) -> InvalidArgument:
        wrong = "cut off" if "Truncated" in said else "damaged"
        message = f"the {self._codec} file is {wrong} after byte {self._pulled.taken}"
        place = str(self._pulled.taken)
        return InvalidArgument("COMPRESSION_INVALID", message, compression=self._codec, byte=place)

    def _refuse_bomb(self) -> None:
        most = self._limits.unpacked_bytes_max
        if self._bytes > most:
            raise _too_large(f"the file unpacks to more than {most} bytes")
        if self._bytes > self._limits.unpacked_bytes_free + RATIO_MAX * self._pulled.taken:
            raise _too_large(f"the file unpacks to more than {RATIO_MAX} times its size")


def _opened(pulled: Pulled, codec: str) -> "pyarrow.CompressedInputStream":
    import pyarrow  # here, for it takes 30 MB and most imports need none of it

    return pyarrow.CompressedInputStream(pyarrow.PythonFile(pulled, "r"), codec)


def _too_large(message: str) -> Error:
    return ResourceExhausted("UNPACKED_TOO_LARGE", message)
