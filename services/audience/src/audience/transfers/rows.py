"""What a format makes of some lines: patches, refused rows, and lines that wait for more."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from mesh.errors import Error

from audience.endpoints import checks
from audience.endpoints.addresses import identified
from audience.endpoints.patches import Patch
from audience.transfers.failures import Failure, failure

Raw = TypeVar("Raw")


class Rows(NamedTuple):
    """The rows of some lines. Lines beyond `consumed` begin a row that has not ended."""

    patches: list[Patch]
    lines: list[int]
    failures: list[Failure]
    consumed: int


class Format(Protocol):
    """A way to write endpoints in lines."""

    header_lines: int
    """How many lines at the beginning of a file are no rows."""

    def rows(self, lines: list[bytes], first_line: int, *, at_end: bool) -> Rows:
        """The rows of lines; `first_line` is the number of the first, from 1."""
        ...


class Collected:
    """Rows as they are read, each good or refused."""

    def __init__(self) -> None:
        self.patches: list[Patch] = []
        self.lines: list[int] = []
        self.failures: list[Failure] = []

    def add(self, line: int, read: Callable[[Raw], Patch], raw: Raw) -> None:
        """Read and check one row."""
        try:
            patch = identified(read(raw))
            checks.check(patch)
        except Error as error:
            self.failures.append(failure(line, error))
            return
        self.patches.append(patch)
        self.lines.append(line)

    def refuse(self, line: int, reason: str, description: str) -> None:
        """Refuse a row that could not even be read."""
        self.failures.append(Failure(line, "", reason, description))

    def rows(self, consumed: int) -> Rows:
        """All of it."""
        return Rows(self.patches, self.lines, self.failures, consumed)
