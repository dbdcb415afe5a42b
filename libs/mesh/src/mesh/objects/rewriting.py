"""A file written anew beside its place, and moved there if anything went: whole or not at all."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

PARTIAL: Final = ".erasing"
"""How the name of a file ends that is being rewritten."""

Rewrite: TypeAlias = Callable[[Path, Path], int]
"""Copies the first file to the second without some of its rows; how many those are.

Raises OSError when a file cannot be read or written, ValueError when it is damaged.
"""


def rewritten(path: Path, rewrite: Rewrite) -> int:
    """Take rows out of a file; how many there were. Without any, it stays as it is."""
    partial = path.with_name(path.name + PARTIAL)
    try:
        rows = rewrite(path, partial)
        if rows:
            shutil.copymode(path, partial)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(path)
        return rows
    finally:
        partial.unlink(missing_ok=True)
