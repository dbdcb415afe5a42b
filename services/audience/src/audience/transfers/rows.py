"""What a format makes of some lines: patches, refused rows, and lines that wait for more."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from mesh.errors import Error

from audience import names
from audience.endpoints import checks
from audience.endpoints.addresses import dialled, identified
from audience.endpoints.patches import Patch
from audience.transfers.failures import Failure, failure

Raw = TypeVar("Raw")


Users = list[tuple[int, str]]
"""Rows that are a user id and nothing else, as lines and ids."""


class Rows(NamedTuple):
    """The rows of some lines. Lines beyond `consumed` begin a row that has not ended."""

    patches: list[Patch]
    lines: list[int]
    failures: list[Failure]
    users: Users
    consumed: int


class Format(Protocol):
    """A way to write endpoints in lines."""

    header_lines: int
    """How many lines at the beginning of a file are no rows."""

    def rows(self, lines: list[bytes], first_line: int, *, at_end: bool) -> Rows:
        """The rows of lines; `first_line` is the number of the first, from 1."""
        ...


def is_user(patch: Patch) -> bool:
    """Whether a row is a user id and nothing else (Pinpoint: a file of user ids only)."""
    if patch.endpoint or patch.channel_type or not patch.user_id:
        return False
    return patch == Patch(user_id=patch.user_id)


class Collected:
    """Rows as they are read, each good or refused."""

    def __init__(self, country: str = "") -> None:
        """`country` is that of phone numbers without `+`."""
        self.country = country
        self.patches: list[Patch] = []
        self.lines: list[int] = []
        self.failures: list[Failure] = []
        self.users: Users = []

    def add(self, line: int, read: Callable[[Raw], Patch], raw: Raw) -> None:
        """Read and check one row."""
        try:
            patch = read(raw)
            if is_user(patch):
                names.check_user_id(str(patch.user_id))
                self.users.append((line, str(patch.user_id)))
                return
            checks.check(identified(dialled(patch, self.country)))
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
        return Rows(self.patches, self.lines, self.failures, self.users, consumed)
