"""Segments made of segments and of lists: the SQL of what they come to and a plain evaluator agree.

The lists hold endpoints, users, both or nobody.
"""

import random
from itertools import count
from typing import Any

import audience_samples as samples
from audience import tables
from audience.endpoints.states import State
from audience.segments import imports, queries, segments, sources
from audience.segments.behaviours import Window
from audience_evaluator import Library, Listed, matches
from heliograph.audience.v1 import segment_filter_pb2 as pb
from heliograph.audience.v1 import segment_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_segments_agree import COUNT, is_refused, leaves, stored

SEED = 2
SHOP = f"shop{SEED}"
LISTS = ((0, 0), (40, 0), (0, 2), (60, 1), (200, 3))
"""How many endpoints and users are in each list."""
_runs = count(1)


def placeholders(level: int) -> Any:
    """Sources by their places among the segments before; the names are put in later."""
    return st.builds(
        lambda operator, places: pb.SegmentFilter(
            source_segments=pb.SourceSegments(operator=operator, segments=[*map(str, places)])
        ),
        st.integers(1, 3),
        st.lists(st.integers(-len(LISTS), level - 1), min_size=1, max_size=3),
    )


def trees(level: int) -> Any:
    simple = leaves.filter(lambda leaf: not is_refused(leaf, SHOP))
    return st.recursive(
        simple | placeholders(level),
        lambda inner: st.builds(
            pb.SegmentFilter,
            group=st.builds(
                pb.FilterGroup,
                operator=st.integers(1, 3),
                filters=st.lists(inner, min_size=1, max_size=3),
            ),
        ),
        max_leaves=5,
    )


def named(question: pb.SegmentFilter, versions: list[str], pinned: bool) -> None:
    """Put names in the place of places."""
    for index, place in enumerate(question.source_segments.segments):
        version = versions[int(place) + len(LISTS)]
        name = version if pinned else version.partition("/versions/")[0]
        question.source_segments.segments[index] = name
    for inner in question.group.filters:
        named(inner, versions, pinned)


async def listed(reading: Any, sessions: Any, states: list[State]) -> tuple[list[str], Library]:
    """The versions of the lists, written once a test, and who is in them."""
    chance, moment, versions, library = random.Random(SEED), samples.START, [], Library()
    for index, (endpoints, users) in enumerate(LISTS):
        brought = chance.sample(states, endpoints)
        user_ids = chance.sample(samples.USERS, users)
        named = {one.endpoint: one.channel_type for one in brought} | {f"gone{index}": 1}
        segment = f"applications/{SHOP}/segments/list{index}"
        versions.append(f"{segment}/versions/1")
        library[segment] = Listed(frozenset(named), frozenset(user_ids))
        library[versions[-1]] = library[segment]
        async with sessions.begin() as session:
            if await session.get(tables.SegmentRow, (SHOP, f"list{index}")) is None:
                async with reading.acquire() as connection:
                    await imports.note(connection, SHOP, f"job{index}", named, user_ids, moment)
                await imports.publish(session, SHOP, f"job{index}", f"list{index}", moment)
    return versions, library


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    questions=st.tuples(trees(0), trees(1), trees(2), trees(3)),
    pins=st.tuples(*[st.booleans()] * 4),
)
async def test_nested_segments_mean_what_they_say(
    questions: list[pb.SegmentFilter], pins: list[bool], reading: Any, sessions: Any
) -> None:
    states, users = await stored(reading, SHOP, SEED)
    versions, library = await listed(reading, sessions, states)
    run, moment = next(_runs), samples.START
    async with sessions() as session:
        for level, (question, pinned) in enumerate(zip(questions, pins, strict=True)):
            named(question, versions, pinned)
            name = f"{SHOP}-{run}-{level}"
            message = segment_pb2.Segment(filter=question)
            await sources.check(session, SHOP, name, 1, question)
            row, version = segments.create(SHOP, name, message, moment)
            session.add(row)
            await session.flush()
            session.add(version)
            await session.flush()
            segment = f"applications/{SHOP}/segments/{name}"
            versions.append(f"{segment}/versions/1")
            library |= {segment: question, versions[-1]: question}
        whole = await sources.resolved(session, SHOP, questions[-1], "filter", versions[-1])

    expected = sorted(
        one.endpoint for one in states if matches(questions[-1], one, users, None, library)
    )
    middle = expected[len(expected) // 2] if expected else ""
    rows = await queries.page(reading, SHOP, whole, after="", limit=COUNT + 1)
    rest = await queries.page(reading, SHOP, whole, after=middle, limit=COUNT + 1)
    counted = await queries.counts(reading, SHOP, whole)
    window = Window([one.endpoint for one in states], {})

    assert [row[0] for row in rows] == expected
    assert [row[0] for row in rest] == [one for one in expected if one > middle]
    assert sum(row[1] for row in counted) == len(expected)
    assert await queries.members(reading, SHOP, whole, window) == set(expected)
