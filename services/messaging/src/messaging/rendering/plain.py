"""Templates that only print variables, which are nearly all: a few function calls each. Pure."""

import html as html_escaping
import re
from collections.abc import Callable

from messaging.rendering import paths, variables
from messaging.rendering.engine import Scope, Template
from messaging.rendering.paths import Path

_TAG = re.compile(r"\{\{\{([^{}]*)\}\}\}|\{\{([^{}]*)\}\}")
_WORDS_OF_THE_LANGUAGE = frozenset({"else", "this"})

Part = Callable[[Scope], str]


def compile_plain(source: str, *, html: bool) -> Template | None:
    """The compiled template; None when it takes more than plain variables."""
    if "\\{" in source:
        return None
    literals: list[str] = []
    parts: list[Part] = []
    end = 0
    for tag in _TAG.finditer(source):
        part = _part(tag, html)
        # Of three braces the language wants three back.
        if part is None or source[: tag.start()].endswith("{"):
            return None
        literals.append(source[end : tag.start()])
        parts.append(part)
        end = tag.end()
    literals.append(source[end:])
    if any("{{" in literal or "}}" in literal for literal in literals):
        return None
    return _joined(literals, parts)


def lookup(path: Path) -> Callable[[Scope], str]:
    """Reads one variable: substitution, endpoint, default; notes it when there is none."""
    get = variables.getter(path)
    whole = paths.without_index(path)
    name = paths.show(path)

    def read(scope: Scope) -> str:
        if scope.substitutions:
            given = scope.substitutions.get(path) or scope.substitutions.get(whole)
            if given:
                return given
        found = variables.text(get(scope.endpoint)) if get is not None else ""
        if found:
            return found
        if scope.defaults:
            default = scope.defaults.get(path) or scope.defaults.get(whole)
            if default:
                return default
        scope.missing.append(name)
        return ""

    return read


def escaped(read: Part) -> Part:
    """The same, fit to stand in HTML text and in attributes."""
    return lambda scope: html_escaping.escape(read(scope))


def _part(tag: "re.Match[str]", html: bool) -> Part | None:
    raw, normal = tag.groups()
    body = (raw if raw is not None else normal).strip()
    if body in _WORDS_OF_THE_LANGUAGE or any(char.isspace() for char in _outside_brackets(body)):
        return None
    path = paths.parse(body)
    if path is None:
        return None
    read = lookup(path)
    return escaped(read) if html and raw is None else read


def _outside_brackets(body: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", body)


def _joined(literals: list[str], parts: list[Part]) -> Template:
    if not parts:
        return lambda scope: literals[0]
    first, *rest = literals
    pairs = list(zip(parts, rest, strict=True))

    def render(scope: Scope) -> str:
        pieces = [first]
        for part, literal in pairs:
            pieces.append(part(scope))
            pieces.append(literal)
        return "".join(pieces)

    return render
