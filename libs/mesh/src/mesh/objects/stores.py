"""What is asked of a store, whichever it is, and for how long an answer is waited for."""

from pathlib import Path
from typing import NamedTuple, Protocol


class Object(NamedTuple):
    """One object; `etag` tells it from a later one of the same key, and may be empty."""

    key: str
    size_bytes: int
    etag: str


class Patience(NamedTuple):
    """How long a store is waited for, and how often it is asked again."""

    connect_seconds: float = 5.0
    request_seconds: float = 60.0
    retries_max: int = 5
    retry_seconds: float = 30.0
    """After which a request is not repeated any more."""


class Store(Protocol):
    """A bucket, a container or a web server. Errors are those of `refusals`."""

    async def head(self, key: str) -> Object:
        """The object of a key."""
        ...

    async def read(self, found: Object, start: int, end: int) -> bytes:
        """Bytes of an object; OBJECT_CHANGED when it is another one by now."""
        ...

    async def below(self, prefix: str, most: int) -> list[Object]:
        """Objects below a prefix by key, at most so many."""
        ...

    async def put(self, key: str, file: Path) -> None:
        """Store a file; nobody sees it before it is whole."""
        ...

    async def delete(self, keys: list[str]) -> None:
        """Delete objects."""
        ...
