"""How much of an import's file is read at once, and what of it is refused."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Bounds of reading one file: of time and memory, against bombs and what is no text."""

    unpacked_bytes_max: int
    unpacked_bytes_free: int = 64 * 1024 * 1024
    """What a small compressed file may unpack to, whatever the ratio."""
    unpacked_block_bytes: int = 1024 * 1024
    chunk_lines: int = 4000
    """So many cost a dozen statements, a tenth of a second and some 10 MB, two chunks at a time."""
    line_bytes_max: int = 1024 * 1024
    """A longer line means that this is no text file; memory is bounded by it."""
