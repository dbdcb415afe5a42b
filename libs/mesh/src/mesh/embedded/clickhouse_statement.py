"""Where an INSERT ends and its data begins when both arrive in one body."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""
      (?P<skip>  \s+ | --[^\n]*\n? | \#![^\n]*\n? | /\*.*?\*/ )
    | (?P<quoted> '(?:[^'\\]|\\.|'')*' | `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
    | (?P<word>  [A-Za-z_][A-Za-z0-9_]* )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_DATA_START = re.compile(rb"[ \t\f]*\r?\n?")
_TRAILING_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*(?:SETTINGS\b[^;]*;?\s*)?$", re.IGNORECASE)
_NEVER_DATA = frozenset({b"SELECT", b"WITH", b"INFILE", b"VALUES"})


@dataclass(frozen=True)
class DataInsert:
    """An INSERT whose rows come as bytes: `statement` goes without the FORMAT."""

    statement: str
    format: str
    data: bytes


def split_data_insert(body: bytes) -> DataInsert | None:
    """The parts of `INSERT … FORMAT name data`; None for every other statement.

    INSERT … VALUES (…) is an ordinary statement when its rows are in it, and INSERT … SELECT always
    is, whatever FORMAT it ends with.
    """
    words = _words_outside_brackets(body)
    if next(words, (b"", 0, 0))[0] != b"INSERT":
        return None
    for word, start, _ in words:
        if word in _NEVER_DATA:
            return None
        if word == b"FORMAT":
            name, _, name_end = next(words, (b"", 0, 0))
            data_start = _DATA_START.match(body, name_end)
            assert data_start is not None
            name_as_written = body[name_end - len(name) : name_end].decode()
            return DataInsert(body[:start].decode(), name_as_written, body[data_start.end() :])
    return None


def output_format(sql: str) -> str | None:
    """The format that a query names at its end."""
    found = _TRAILING_FORMAT.search(sql)
    return found.group(1) if found else None


def _words_outside_brackets(body: bytes) -> Iterator[tuple[bytes, int, int]]:
    depth = 0
    for token in _TOKEN.finditer(body):
        text = token.group()
        if token.lastgroup == "word" and depth == 0:
            yield text.upper(), token.start(), token.end()
        elif token.lastgroup == "other":
            depth += (text in b"([{") - (text in b")]}")
