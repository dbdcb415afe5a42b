"""Filters that nobody can ever match: conditions that must all hold, and cannot together.

What is said is certain: a group that is refused here has no member in any audience. It is not all
there is to know; a filter that passes may still find nobody.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import NamedTuple

from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.errors.refusals import invalid

from audience.segments import possibilities
from audience.segments.possibilities import Asked


class _Part(NamedTuple):
    """A condition that must hold, or must not, and where it stands."""

    asked: Asked
    path: str


def check(question: pb.SegmentFilter, path: str) -> None:
    """Refuse a tree with a part that nobody can match (FILTER_CONTRADICTORY)."""
    facets: dict[tuple[str, Hashable], list[_Part]] = defaultdict(list)
    for node, part in _parts(question, path, holds=True):
        facets[node, possibilities.facet(node, part.asked)].append(part)
    for (node, _), parts in facets.items():
        _check_facet(node, parts)
    for inner, here in _alternatives(question, path):
        check(inner, here)


def _parts(question: pb.SegmentFilter, path: str, *, holds: bool) -> Iterator[tuple[str, _Part]]:
    """Every condition that must hold, or must not, whatever else does."""
    node = str(question.WhichOneof("node"))
    if node != "group":
        part = _Part(Asked(getattr(question, node), holds), f"{path}.{node}")
        if possibilities.says(node, part.asked):
            yield node, part
        return
    group = question.group
    if not group.filters and not holds:
        yield node, _Part(Asked(group, holds), f"{path}.{node}")
    is_certain, inner_holds = _joined(group, holds=holds)
    for inner, here in _inner(question, path):
        if is_certain:
            yield from _parts(inner, here, holds=inner_holds)


def _joined(group: pb.FilterGroup, *, holds: bool) -> tuple[bool, bool]:
    """Whether all inner filters are certain if the group holds, or does not, and which way."""
    one = len(group.filters) == 1
    if group.operator == pb.FilterGroup.NONE:
        return holds or one, not holds
    is_all = group.operator == pb.FilterGroup.ALL
    return one or is_all == holds, holds


def _inner(question: pb.SegmentFilter, path: str) -> Iterator[tuple[pb.SegmentFilter, str]]:
    for index, inner in enumerate(question.group.filters):
        yield inner, f"{path}.group.filters[{index}]"


def _alternatives(question: pb.SegmentFilter, path: str) -> Iterator[tuple[pb.SegmentFilter, str]]:
    """Filters of which one is enough: each is looked at by itself."""
    group = question.group
    for inner, here in _inner(question, path):
        if group.operator == pb.FilterGroup.ANY and len(group.filters) > 1:
            yield inner, here
        elif group.operator != pb.FilterGroup.NONE:
            yield from _alternatives(inner, here)


def _check_facet(node: str, parts: list[_Part]) -> None:
    if possibilities.is_possible(node, [part.asked for part in parts]):
        return
    low, high = 1, len(parts)  # the first so many parts that are impossible together
    while low < high:
        middle = (low + high) // 2
        if possibilities.is_possible(node, [part.asked for part in parts[:middle]]):
            low = middle + 1
        else:
            high = middle
    first, last = parts[0].path, parts[low - 1].path
    together = {1: "", 2: f" together with {first}"}
    others = f" together with {low - 1} conditions before it, from {first} on"
    description = f"nobody can ever match it{together.get(low, others)}"
    raise invalid("FILTER_CONTRADICTORY", last, description)
