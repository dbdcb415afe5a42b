"""Addresses of objects: `s3://bucket/key`, `gs://`, `az://container/key` and `https://host/path`."""

import re
from typing import Final, NamedTuple

_URI: Final = re.compile(r"(?P<scheme>s3|gs|az|https)://(?P<bucket>[^/]+)/(?P<key>.*)", re.DOTALL)
_HOST: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?")
_BUCKET: Final = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]*")
_TRICKS: Final = re.compile(r"%(2e|2f|5c|00)", re.IGNORECASE)
"""Dots and slashes that a web server may see where we do not."""

URI_CHARACTERS_MAX: Final = 2048


class Uri(NamedTuple):
    """Where an object is; `key` is literal, but for https, where it is the path as it is asked for.

    A key that is empty or ends in a slash stands for everything below.
    """

    scheme: str
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"


def parse(text: str) -> Uri:
    """The address in a text; ValueError, with words, for what could be read in two ways."""
    found = _URI.fullmatch(text)
    if found is None:
        raise ValueError("expected s3://, gs://, az:// or https://, a bucket or host, and a slash")
    uri = Uri(**found.groupdict())
    if len(text) > URI_CHARACTERS_MAX:
        raise ValueError(f"longer than {URI_CHARACTERS_MAX} characters")
    shape = _HOST if uri.scheme == "https" else _BUCKET
    if not shape.fullmatch(uri.bucket):
        raise ValueError("the bucket or host is none: lower case, no user and no password")
    _check_key(uri)
    return uri


def _check_key(uri: Uri) -> None:
    segments = uri.key.removesuffix("/").split("/") if uri.key else []
    if any(segment in ("", ".", "..") for segment in segments):
        raise ValueError("no part of the path may be empty, . or ..")
    if "\\" in uri.key or not uri.key.isprintable():
        raise ValueError("no backslash and no control character may be in the path")
    if uri.scheme == "https":
        _check_path(uri.key)


def _check_path(path: str) -> None:
    if not path.isascii() or " " in path:
        raise ValueError("the path of an https address is percent-encoded ASCII")
    if "?" in path or "#" in path:
        raise ValueError("an https address has no query and no fragment here")
    if _TRICKS.search(path):
        raise ValueError("no encoded dot, slash, backslash or NUL may be in the path")
