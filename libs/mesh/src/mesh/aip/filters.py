"""Filters of List methods (AIP-160) as trees, with the place of whatever is wrong.

`a = 1 AND (b.c != "x" OR NOT d:*)`. As in AIP-160, OR binds closer than AND, and restrictions that
merely follow each other are joined by AND. Functions and bare words are not part of the subset.
"""

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mesh.errors import InvalidArgument, refusals

CHARACTERS_MAX: Final = 4096
DEPTH_MAX: Final = 16
RESTRICTIONS_MAX: Final = 100

_SPACE: Final = re.compile(r"\s*")
_COMPARATOR: Final = re.compile(r"<=|>=|!=|<|>|=|:")
_STRING: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_FIELD: Final = re.compile(r"[^\s()\"',.:<>=!]+")
_ARGUMENT: Final = re.compile(r"[^\s()\"',<>=!]+")
_WORD: Final = re.compile(r"(AND|OR|NOT)(?![^\s()\"',.:<>=!])")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Restriction:
    """`path` compared with `value` by `comparator`; positions count characters from 1.

    The comparison begins at `position`, its value, with a quote if there is one, at
    `value_position`. `value` is a text whatever it stands for, `*` unquoted in `field:*` asks for
    presence: then `presence` is true.
    """

    path: tuple[str, ...]
    comparator: str
    value: str
    presence: bool
    position: int
    value_position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Not:
    """True where `inner` is not."""

    inner: "Filter"


@dataclass(frozen=True)
class And:
    """True where all are."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True)
class Or:
    """True where any is."""

    parts: "tuple[Filter, ...]"


Filter: TypeAlias = Restriction | Not | And | Or


def parse(text: str, *, field: str = "filter") -> Filter | None:
    """The tree of a filter, None of an empty one; FILTER_INVALID says what is wrong and where."""
    if len(text) > CHARACTERS_MAX:
        raise invalid(CHARACTERS_MAX, f"more than {CHARACTERS_MAX} characters", field=field)
    return _Parser(text, field).filter()


def invalid(position: int, description: str, *, field: str = "filter") -> InvalidArgument:
    """The refusal of what stands at a position, for what only the caller can judge, too."""
    sentence = f"at character {position}: {description}"
    return refusals.invalid("FILTER_INVALID", field, sentence, position=str(position))


class _Parser:
    """By descent; the depth of the text bounds the depth of the calls."""

    def __init__(self, text: str, field: str) -> None:
        self._text = text
        self._field = field
        self._at = 0
        self._depth = 0
        self._restrictions = 0

    def filter(self) -> Filter | None:
        if self._done():
            return None
        found = self._expression()
        if not self._done():
            raise self._refused(f"{self._next()!r} is not expected")
        return found

    def _expression(self) -> Filter:
        parts = [self._factor()]
        while not self._done() and not self._is(")"):
            self._word("AND")
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _factor(self) -> Filter:
        parts = [self._term()]
        while self._word("OR"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _term(self) -> Filter:
        if self._word("NOT") or self._take("-"):
            return Not(self._simple())
        return self._simple()

    def _simple(self) -> Filter:
        if not self._is("("):
            return self._restriction()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._refused(f"more than {DEPTH_MAX} brackets inside each other")
        self._take("(")
        found = self._expression()
        if not self._take(")"):
            raise self._refused("a closing bracket is missing")
        self._depth -= 1
        return found

    def _restriction(self) -> Restriction:
        self._space()
        position = self._at + 1
        self._restrictions += 1
        if self._restrictions > RESTRICTIONS_MAX:
            raise self._refused(f"more than {RESTRICTIONS_MAX} comparisons")
        path = self._path()
        self._space()
        found = _COMPARATOR.match(self._text, self._at)
        if found is None:
            raise self._refused(f"a comparison must follow {'.'.join(path)!r}")
        self._at = found.end()
        self._space()
        value_position = self._at + 1
        quoted = self._string()
        value = self._argument() if quoted is None else quoted
        presence = quoted is None and found[0] == ":" and value == "*"
        return Restriction(path, found[0], value, presence, position, value_position)

    def _path(self) -> tuple[str, ...]:
        path = [self._name()]
        while self._take("."):
            path.append(self._name())
        return tuple(path)

    def _name(self) -> str:
        quoted = self._string()
        if quoted is not None:
            return quoted
        word = _WORD.match(self._text, self._at)
        found = None if word else _FIELD.match(self._text, self._at)
        if found is None:
            raise self._refused("the name of a field is missing")
        self._at = found.end()
        return found[0]

    def _argument(self) -> str:
        found = _ARGUMENT.match(self._text, self._at)
        if found is None:
            raise self._refused("a value is missing")
        self._at = found.end()
        return found[0]

    def _string(self) -> str | None:
        self._space()
        found = _STRING.match(self._text, self._at)
        if found is None:
            if self._text[self._at : self._at + 1] in ('"', "'"):
                raise self._refused("a quote is opened and not closed")
            return None
        self._at = found.end()
        return _ESCAPE.sub(r"\1", found[1] if found[1] is not None else found[2])

    def _word(self, word: str) -> bool:
        self._space()
        found = _WORD.match(self._text, self._at)
        if found is None or found[1] != word:
            return False
        self._at = found.end()
        return True

    def _take(self, character: str) -> bool:
        if not self._is(character):
            return False
        self._at += 1
        return True

    def _is(self, character: str) -> bool:
        self._space()
        return self._text.startswith(character, self._at)

    def _done(self) -> bool:
        self._space()
        return self._at >= len(self._text)

    def _next(self) -> str:
        return self._text[self._at]

    def _space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _refused(self, description: str) -> InvalidArgument:
        return invalid(self._at + 1, description, field=self._field)
