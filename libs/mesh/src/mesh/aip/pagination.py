"""Pages by key (AIP-158): a token holds the last key and a checksum of the rest of the request."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import orjson
from google.protobuf.message import Message
from mesh.errors.refusals import invalid

Key: TypeAlias = Sequence[str | int | float | bool | None]
Row = TypeVar("Row")


class Page:
    """What a List request asks for.

    `size` is the number of rows to return, between 1 and `max_size`; read `limit` of them (one
    more), so that `cut` knows whether there is a next page. `after` is the key of the last row of
    the page before, or None on the first page.
    """

    def __init__(self, request: Message, default_size: int, max_size: int) -> None:
        asked: int = request.page_size  # type: ignore[attr-defined]
        if asked < 0:
            raise invalid("PAGE_SIZE_NEGATIVE", "page_size", "page_size must not be negative")
        self._request = request
        self.size = min(asked or default_size, max_size)
        token: str = request.page_token  # type: ignore[attr-defined]
        self.after = decode(request, token) if token else None

    @property
    def limit(self) -> int:
        """How many rows to read: one more than are returned."""
        return self.size + 1

    def cut(self, rows: Sequence[Row], key: Callable[[Row], Key]) -> tuple[list[Row], str]:
        """The rows of this page and the token of the next one, empty after the last page."""
        page = list(rows[: self.size])
        more = len(rows) > self.size
        return page, encode(self._request, key(page[-1])) if more else ""


def encode(request: Message, key: Key) -> str:
    """The token that continues `request` after `key`."""
    payload = orjson.dumps([_checksum(request), *key])
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def decode(request: Message, token: str) -> list[str | int | float | bool | None]:
    """The key in a token; INVALID_ARGUMENT if it is none, or belongs to a different request."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        checksum, *key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error):
        raise invalid("PAGE_TOKEN_INVALID", "page_token", "not a page token") from None
    if checksum != _checksum(request):
        message = "the request has changed since the page before; only page_size may"
        raise invalid("PAGE_TOKEN_MISMATCH", "page_token", message)
    return list(key)


def _checksum(request: Message) -> str:
    rest = type(request)()
    rest.CopyFrom(request)
    rest.ClearField("page_token")
    rest.ClearField("page_size")
    content = rest.SerializeToString(deterministic=True)
    return hashlib.blake2b(content, digest_size=8).hexdigest()
