"""Every variable that a template reads, whichever branch is taken. Pure.

A rendering shows only what one recipient makes of it: `{{#if Metrics.wins}}{{Metric.wins}}{{/if}}`
looks right until somebody comes who has wins.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dotpromptz_handlebars import Block, Mustache, Node

# The classes of its tree are the library's interface; what parses a template into them is not.
from dotpromptz_handlebars._render import compile_template

from messaging.rendering import paths, variables
from messaging.rendering.engine import TemplateError, Texts
from messaging.rendering.paths import Path

Place = Path | None
"""Where names begin: below a path of the root; None where nobody can tell."""

_HELPERS = frozenset({"if", "unless", "with", "each", "lookup"})
_UP = "../"
_HERE = ("", ".", "this")
_ANY = "*"
"""Stands for whichever name somebody gave an attribute."""


@dataclass(frozen=True, slots=True)
class _Scopes:
    """Where names begin in a block and the ones around it, and its own names for things."""

    places: tuple[Place, ...] = ((),)
    named: Mapping[str, Place] = field(default_factory=dict)

    def inside(self, place: Place, names: Sequence[str] = ()) -> "_Scopes":
        """Within a block that steps into a place; `as |value key|` names it and its key."""
        named = {**self.named, **dict(zip(names, (place, None), strict=False))}
        return replace(self, places=(*self.places, place), named=named)

    def resolved(self, token: str) -> Place:
        """The path from the root that a name stands for; None for what is no variable."""
        if token.startswith("@root"):
            return _joined((), token.removeprefix("@root").lstrip("./"))
        places = self.places
        while token.startswith(_UP) or token == "..":
            places, token = places[:-1], token.removeprefix("..").removeprefix("/")
        if not places:
            return None
        first, *rest = paths.parse(token) or ("",)
        if first in self.named and len(places) == len(self.places):
            place = self.named[first]
            return None if place is None else (*place, *rest)
        return _joined(places[-1], token)


def unknown(sources: Iterable[str], *given: Texts) -> list[str]:
    """Variables that the sources read and nobody can have: no endpoint, nor what is given.

    Raises TemplateError for what cannot be rendered: no template, or a branch with a helper that
    there is not.
    """
    known = {path for texts in given for path in texts}
    read = dict.fromkeys(path for source in sources for path in variables_of(source))
    return [paths.show(path) for path in read if not _is_possible(path, known)]


def variables_of(source: str) -> Iterator[Path]:
    """Every variable as its path from the root, in the order in which it stands.

    Raises TemplateError for what cannot be rendered.
    """
    yield from _of_nodes(_tree(source), _Scopes())


def _tree(source: str) -> list[Node]:
    try:
        return compile_template(source)
    except (ValueError, RecursionError) as error:
        raise TemplateError(str(error)) from None


def _of_nodes(nodes: Iterable[Node], scopes: _Scopes) -> Iterator[Path]:
    for node in nodes:
        if isinstance(node, Mustache):
            yield from _of_call(node.call, scopes)
        elif isinstance(node, Block):
            yield from _of_block(node, scopes)


def _of_call(call: Mapping[str, Any], scopes: _Scopes) -> Iterator[Path]:
    """A tag: a variable, or a helper with its arguments."""
    if call["args"] or call["hash"]:
        if call["name"] not in _HELPERS:
            raise TemplateError(f'Missing helper: "{call["name"]}"')
        yield from _of_arguments(call, scopes)
    elif not call["literal"]:
        yield from _of_token(call["name"], scopes)


def _of_arguments(call: Mapping[str, Any], scopes: _Scopes) -> Iterator[Path]:
    for token in (*call["args"], *call["hash"].values()):
        yield from _of_token(token, scopes)


def _of_token(token: str, scopes: _Scopes) -> Iterator[Path]:
    if token.startswith("("):
        yield from _of_nodes(_tree("{{" + token[1:-1] + "}}"), scopes)
        return
    place = None if _is_literal(token) else scopes.resolved(token)
    if place:
        yield place


def _of_block(block: Block, scopes: _Scopes) -> Iterator[Path]:
    call = block.call
    name, token = call["name"], next(iter(call["args"]), call["name"])
    yield from _of_call(call, scopes)
    place = None if _is_literal(token) else scopes.resolved(token)
    match name:
        case "if" | "unless":
            inner = scopes
        case "with":
            inner = scopes.inside(place, call["params"])
        case _:
            inner = scopes.inside(_element(place), call["params"])
    yield from _of_nodes(block.body, inner)
    yield from _of_nodes(block.inverse, scopes)


def _element(place: Place) -> Place:
    """One value of a list, which is as good as the list; or of what has names."""
    if place not in variables.BRANCHES:
        return place
    named = (*place, _ANY)
    return named if variables.getter(named) else None


def _joined(place: Place, token: str) -> Place:
    if place is None or token in _HERE:
        return place
    path = paths.parse(token)
    return None if path is None else (*place, *path)


def _is_literal(token: str) -> bool:
    """Whether it is a text, a number, a truth or a value that a loop counts."""
    return (
        token[:1] in "\"'("
        or token in ("true", "false")
        or token.removeprefix("-").replace(".", "", 1).isdecimal()
        or (token.startswith("@") and not token.startswith("@root"))
    )


def _is_possible(path: Path, given: Iterable[Path]) -> bool:
    if variables.getter(path) is not None or path in variables.BRANCHES:
        return True
    whole = paths.without_index(path)
    return any(one[: len(path)] == path or one == whole for one in given)
