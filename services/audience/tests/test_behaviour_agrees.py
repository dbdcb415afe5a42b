"""Trees that ask of events too, in SQL and in plain Python, on random endpoints and events."""

import random
from collections import defaultdict
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import audience_samples as samples
from audience.endpoints.states import State
from audience.segments import behaviours, queries, scanning
from audience.segments.prefetching import ahead
from audience.segments.sets import Analytics
from audience.segments.windows import Windows
from audience_analytics import store as store_events
from audience_behaviour import Happening, History
from audience_evaluator import Attributes, matches
from google.protobuf.duration_pb2 import Duration
from heliograph.audience.v1 import segment_filter_pb2 as pb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_segments_agree import instants, is_refused, leaves, spans, stored

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
SEED = 1
SHOP = f"shop{SEED}"
CAMPAIGNS = tuple(f"applications/{SHOP}/campaigns/{name}" for name in ("spring", "autumn"))
RUNS = tuple(f"{campaign}/runs/{run}" for campaign in CAMPAIGNS for run in ("r1", "r2"))
WORDS = ("gold", "golden", "free", "")
known: dict[str, History] = {}

windows = st.integers(1, 12).map(lambda days: Duration(seconds=days * 86_400 - 1))
moments = st.none() | st.integers(0, 12).map(lambda days: NOW - timedelta(days=days))
attributes = st.builds(
    pb.AttributeCondition,
    name=st.just("plan"),
    operator=st.sampled_from([1, 2, 3]),
    values=st.lists(st.sampled_from(WORDS), min_size=1, max_size=2),
) | st.builds(pb.AttributeCondition, name=st.just("plan"), operator=st.sampled_from([8, 9]))
attributes = attributes | instants | spans
metrics = st.builds(
    pb.MetricCondition,
    name=st.just("price"),
    comparison=st.integers(1, 5),
    value=st.sampled_from([1.0, 2.5]),
)
behaviour = st.one_of(
    st.builds(
        pb.SegmentFilter,
        recency=st.builds(pb.RecencyCondition, window=windows, activity=st.integers(1, 2)),
    ),
    st.builds(
        pb.SegmentFilter,
        event=st.builds(
            pb.EventCondition,
            event_type=st.sampled_from(["buy", "view", "_session.start", "never"]),
            attributes=st.lists(attributes, max_size=1),
            metrics=st.lists(metrics, max_size=1),
            count_min=st.none() | st.integers(0, 3),
            count_max=st.none() | st.integers(0, 3),
            window=st.none() | windows,
            scope=st.integers(0, 2),
        ),
    ),
    st.builds(
        pb.SegmentFilter,
        first_seen=st.builds(
            lambda start, end: pb.FirstSeenCondition(**{"from": start, "until": end}),
            moments,
            moments,
        )
        | st.builds(pb.FirstSeenCondition, window=windows),
    ),
    st.builds(
        pb.SegmentFilter,
        campaign=st.builds(
            pb.CampaignCondition,
            campaign=st.sampled_from((*CAMPAIGNS, *RUNS)),
            outcome=st.sampled_from([1, 3, 4, 5]),
            negate=st.booleans(),
            window=st.none() | windows,
        ),
    ),
)
trees = st.recursive(
    behaviour | leaves,
    lambda inner: st.builds(
        pb.SegmentFilter,
        group=st.builds(
            pb.FilterGroup, operator=st.integers(1, 3), filters=st.lists(inner, max_size=3)
        ),
    ),
    max_leaves=8,
)


def happenings(states: list[State]) -> list[Happening]:
    """What two thirds of the endpoints did, and some whom nobody knows."""
    chance = random.Random(SEED)
    doers = [one.endpoint for one in states if chance.random() < 0.66]
    doers += [f"e{number:06}-gone" for number in range(0, 1_000_000, 10_000)]
    return [_happening(chance, one) for one in doers for _ in range(chance.randint(1, 6))]


def _happening(chance: random.Random, endpoint: str) -> Happening:
    kinds = ("buy", "view", "_session.start", "_message.sent", "_message.opened")
    kind = chance.choice((*kinds, "_message.clicked", "_message.replied"))
    time = NOW - timedelta(days=chance.randint(0, 12), hours=1)
    if kind.startswith("_message."):
        return Happening(endpoint, kind, time, {"run": chance.choice(RUNS)})
    words = {"plan": chance.choice(WORDS)} if chance.random() < 0.7 else {}
    if chance.random() < 0.7:
        words["joined"] = chance.choice(samples.INSTANTS)
    numbers = {"price": chance.choice((1.0, 2.5, 4.0))} if chance.random() < 0.7 else {}
    return Happening(endpoint, kind, time, words, numbers)


async def remembered(event_store: Any, states: list[State]) -> History:
    """The same events in the store and here, written once."""
    if not known:
        happened = happenings(states)
        await store_events(event_store, SHOP, happened)
        by_endpoint = defaultdict(list)
        for one in happened:
            by_endpoint[one.endpoint].append(one)
        by_user = defaultdict(list)
        for state in states:
            by_user[state.user_id].append(state.endpoint)
        known[SHOP] = History(LATER, by_endpoint, by_user)
    return known[SHOP]


def from_later(question: pb.SegmentFilter) -> pb.SegmentFilter:
    """The tree with its windows seen from LATER as they were from NOW."""
    moved = pb.SegmentFilter()
    moved.CopyFrom(question)
    node = moved.WhichOneof("node")
    condition: Any = getattr(moved, node)
    if node in behaviours.PARTS and condition.HasField("window"):
        condition.window.FromTimedelta(condition.window.ToTimedelta() + (LATER - NOW))
    for inner in moved.group.filters:
        inner.CopyFrom(from_later(inner))
    return moved


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    question=trees.filter(lambda tree: not is_refused(tree, SHOP) and behaviours.conditions(tree)),
    page_size=st.integers(1, 300),
    window_size=st.integers(7, 300),
    held_max=st.sampled_from([0, 100, 100_000]),
)
async def test_sql_and_python_agree_on_what_endpoints_did(
    question: pb.SegmentFilter,
    page_size: int,
    window_size: int,
    held_max: int,
    reading: Any,
    event_store: Any,
    analytics_address: str,
    rpc_connect: Any,
) -> None:
    states, users = await stored(reading, SHOP, SEED)
    history = await remembered(event_store, states)
    question = from_later(question)
    expected = evaluated(question, states, users, history)
    analytics = Analytics(rpc_connect(analytics_address))
    conditions = behaviours.conditions(question)
    source = Windows(reading, analytics, SHOP, conditions, LATER, held_max)

    scanned = scanning.windowed_pages(question, source, "", page_size, window_size)
    async with aclosing(ahead(scanned)) as pages:
        rows = [row async for page in pages for row in page]
    counted = 0
    async with aclosing(source.after("", window_size)) as found:
        async for window in found:
            counted += sum(row[1] for row in await queries.counts(reading, SHOP, question, window))
    asked = [one.endpoint for one in states]
    members = await queries.members(reading, SHOP, question, await source.among(asked))

    assert [row[0] for row in rows] == expected
    assert counted == len(expected)
    assert members == set(expected)


def evaluated(
    question: pb.SegmentFilter,
    states: list[State],
    users: dict[str, Attributes],
    history: History,
) -> list[str]:
    return sorted(one.endpoint for one in states if matches(question, one, users, history))
