"""A scope as the tree of values that a template language walks. Pure."""

from collections.abc import Mapping
from typing import Any

from heliograph.audience.v1.endpoint_pb2 import Endpoint, Values

from messaging.rendering import variables
from messaging.rendering.engine import Scope, Texts

Tree = dict[str, Any]


def tree(scope: Scope) -> Tree:
    """Defaults, over them what the endpoint has, over that the substitutions.

    What is empty is left out, so that a strict language can tell what is missing.
    """
    root = of_endpoint(scope.endpoint)
    _fill(root, scope.defaults, over=False)
    _fill(root, scope.substitutions, over=True)
    return root


def of_endpoint(endpoint: Endpoint) -> Tree:
    """What the endpoint has, under Pinpoint's names."""
    root: Tree = {}
    for path, get in variables.SINGLE.items():
        value = get(endpoint)
        if value:
            _put(root, path, value)
    for word in ("Latitude", "Longitude"):
        coordinate = variables.getter(("Location", word))
        value = coordinate(endpoint) if coordinate else None
        if value is not None:
            _put(root, ("Location", word), value)
    _branch(root, ("Attributes",), _lists(endpoint.attributes))
    _branch(root, ("User", "UserAttributes"), _lists(endpoint.user.attributes))
    _branch(root, ("Metrics",), dict(endpoint.metrics))
    return root


def _lists(attributes: Mapping[str, Values]) -> Tree:
    return {name: list(values.values) for name, values in attributes.items() if values.values}


def _branch(root: Tree, path: tuple[str, ...], values: Tree) -> None:
    if values:
        _put(root, path, values)


def _fill(root: Tree, texts: Texts, *, over: bool) -> None:
    for path, text in texts.items():
        if over or not _present(root, path):
            _put(root, path, text)


def _present(root: Tree, path: tuple[str, ...]) -> bool:
    found: Any = root
    for segment in path:
        if isinstance(found, list) and segment.isdecimal():
            index = int(segment)
            found = found[index] if index < len(found) else None
        elif isinstance(found, dict):
            found = found.get(segment)
        else:
            return False
        if not found:
            return False
    return True


def _put(root: Tree, path: tuple[str, ...], value: Any) -> None:
    """Sets a value, making the branches that lead to it; what is in their way gives place."""
    branch = root
    for segment in path[:-1]:
        inner = branch.get(segment)
        if isinstance(inner, list):
            inner = {str(index): item for index, item in enumerate(inner)}
        if not isinstance(inner, dict):
            inner = {}
        branch[segment] = inner
        branch = inner
    branch[path[-1]] = value
