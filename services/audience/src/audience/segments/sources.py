"""Segments made of other segments: the filter of each is put in the place of its name.

What comes out asks about endpoints alone, so that one compiler is enough; of a segment that an
import brought it asks for the list. A name without a version
stands for the newest one at that moment, a name with one for that version for ever.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.errors import FailedPrecondition, InvalidArgument, Violation
from mesh.errors.refusals import invalid
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.segments import behaviour_checks, lists, store

SEGMENTS_DEEP_MAX: Final = 10
DEPTH_MAX: Final = 100
CONDITIONS_MAX: Final = 5_000


@dataclass(frozen=True)
class Source:
    """A version of a segment; `version` is its name."""

    version: str
    question: pb.SegmentFilter


Library: TypeAlias = Mapping[str, Source]
"""Versions by the names that stand for them, with a version or without."""


async def check(
    session: AsyncSession, application: str, segment: str, number: int, question: pb.SegmentFilter
) -> None:
    """Refuse a filter that is to be version `number` of a segment, if its sources do not allow it.

    Raises what `resolved` raises.
    """
    version = names.version_name(application, segment, number)
    newest = {names.segment_name(application, segment): Source(version, question)}
    await resolved(session, application, question, "segment.filter", version, newest)


async def of_version(
    session: AsyncSession, application: str, version: str, question: pb.SegmentFilter
) -> pb.SegmentFilter:
    """The filter of a saved version with its sources in it.

    Raises FailedPrecondition: its sources have changed since it was saved, not the request.
    """
    try:
        return await resolved(session, application, question, "segment.filter", version)
    except InvalidArgument as refusal:
        raise FailedPrecondition(
            refusal.reason,
            f"{version}: {refusal.message}",
            violations=refusal.violations,
            segment=version,
        ) from refusal


async def resolved(
    session: AsyncSession,
    application: str,
    question: pb.SegmentFilter,
    path: str,
    version: str = "",
    known: Library | None = None,
) -> pb.SegmentFilter:
    """The filter, of a version or of none, with its sources in it.

    Raises FailedPrecondition with reason `SOURCE_SEGMENT_NOT_FOUND` or `SEGMENT_CYCLE`, and
    InvalidArgument for what has become too large.
    """
    library = await _library(session, application, question, dict(known or {}))
    trail = (version,) if version else ()
    whole = _Expanding(library).whole(question, path, trail, 1)
    behaviour_checks.check_count(whole, path)
    return whole


async def _library(
    session: AsyncSession, application: str, question: pb.SegmentFilter, library: dict[str, Source]
) -> Library:
    """All versions that a filter is made of, those of one level by one query."""
    questions: Iterable[pb.SegmentFilter] = [question]
    for _ in range(SEGMENTS_DEEP_MAX + 1):
        wanted = {name for one in questions for name in _names(one)} - library.keys()
        if not wanted:
            break
        found = await store.sources(session, application, wanted)
        library |= {name: Source(*one) for name, one in found.items()}
        questions = [one for _, one in found.values()]
    return library


def _names(question: pb.SegmentFilter) -> Iterator[str]:
    if not lists.is_list(question.source_segments):
        yield from question.source_segments.segments
    for inner in question.group.filters:
        yield from _names(inner)


class _Expanding:
    def __init__(self, library: Library) -> None:
        self._library = library
        self._count = 0

    def whole(
        self, question: pb.SegmentFilter, path: str, trail: tuple[str, ...], depth: int
    ) -> pb.SegmentFilter:
        """The node without names of segments; `trail` are the versions that it is inside of."""
        self._count += 1
        if self._count > CONDITIONS_MAX:
            description = f"more than {CONDITIONS_MAX} conditions with those of its segments"
            raise invalid("FILTER_TOO_LARGE", path, description)
        if depth > DEPTH_MAX or len(trail) > SEGMENTS_DEEP_MAX:
            description = f"more than {SEGMENTS_DEEP_MAX} segments, or {DEPTH_MAX} levels, deep"
            raise invalid("FILTER_TOO_DEEP", path, description)
        node = question.WhichOneof("node")
        if node == "source_segments" and not lists.is_list(question.source_segments):
            return self._sources(question.source_segments, path, trail, depth)
        if node != "group":
            return question
        group = pb.FilterGroup(operator=question.group.operator)
        for index, inner in enumerate(question.group.filters):
            here = f"{path}.group.filters[{index}]"
            group.filters.append(self.whole(inner, here, trail, depth + 1))
        return pb.SegmentFilter(group=group)

    def _sources(
        self, asked: pb.SourceSegments, path: str, trail: tuple[str, ...], depth: int
    ) -> pb.SegmentFilter:
        group = pb.FilterGroup(operator=asked.operator)
        for index, name in enumerate(asked.segments):
            here = f"{path}.source_segments.segments[{index}]"
            source = self._library.get(name)
            if source is None:
                raise _missing(name, here, trail)
            if source.version in trail:
                raise _cycle((*trail[trail.index(source.version) :], source.version), here)
            inner = (*trail, source.version)
            group.filters.append(self.whole(source.question, here, inner, depth + 1))
        return pb.SegmentFilter(group=group)


def _missing(name: str, field: str, trail: tuple[str, ...]) -> FailedPrecondition:
    of = f"{trail[-1]} is made of" if trail else "the filter asks for"
    return _refusal("SOURCE_SEGMENT_NOT_FOUND", field, f"{of} {name}, which does not exist", name)


def _cycle(versions: tuple[str, ...], field: str) -> FailedPrecondition:
    way = " of ".join(versions)
    return _refusal("SEGMENT_CYCLE", field, f"a segment made of itself: {way}", versions[-1])


def _refusal(reason: str, field: str, description: str, segment: str) -> FailedPrecondition:
    return FailedPrecondition(
        reason,
        f"{field}: {description}",
        violations=[Violation(field, description, reason)],
        field=field,
        segment=segment,
    )
