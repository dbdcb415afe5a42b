"""Funnels against a plain evaluator of the contract's words, on random events in the engine."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from analytics.reports import filters, funnels
from analytics_samples import NOW, event, stamp
from google.protobuf.duration_pb2 import Duration
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter, EventFilter, MetricFilter
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.analytics.v1.funnel_pb2 import Funnel, FunnelStep
from hypothesis import given, settings
from hypothesis import strategies as st

_applications = count(1)

ATTRIBUTE_OPERATORS = st.sampled_from(
    [AttributeFilter.INCLUSIVE, AttributeFilter.EXCLUSIVE, AttributeFilter.CONTAINS]
)
METRIC_OPERATORS = st.sampled_from([number for number in MetricFilter.Operator.values() if number])
WORDS = st.sampled_from(["red", "reddish", "blue", ""])

attribute_filters = st.one_of(
    st.builds(
        AttributeFilter,
        key=st.just("color"),
        operator=ATTRIBUTE_OPERATORS,
        values=st.lists(WORDS, min_size=1, max_size=2),
    ),
    st.builds(
        AttributeFilter,
        key=st.just("color"),
        operator=st.sampled_from([AttributeFilter.PRESENT, AttributeFilter.ABSENT]),
    ),
)
metric_filters = st.builds(
    MetricFilter,
    key=st.just("price"),
    operator=METRIC_OPERATORS,
    value=st.sampled_from([0, 1.5]),
    upper_value=st.sampled_from([1.5, 2]),
)
steps = st.builds(
    FunnelStep,
    filter=st.builds(
        EventFilter,
        event_type=st.sampled_from(["view", "add", "buy"]),
        attributes=st.lists(attribute_filters, max_size=1),
        metrics=st.lists(metric_filters, max_size=1),
    ),
)
happenings = st.tuples(
    st.sampled_from(["view", "add", "buy"]),
    st.integers(min_value=0, max_value=8),
    st.sampled_from(["ada", "bob", "eve"]),
    st.none() | WORDS,
    st.none() | st.sampled_from([0, 1.5, 2]),
)


def matches(sent: Event, wanted: EventFilter) -> bool:
    return (
        sent.event_type == wanted.event_type
        and all(attribute_matches(sent, part) for part in wanted.attributes)
        and all(metric_matches(sent, part) for part in wanted.metrics)
    )


def attribute_matches(sent: Event, part: AttributeFilter) -> bool:
    word = sent.attributes.get(part.key)
    if part.operator == AttributeFilter.PRESENT:
        return word is not None
    if part.operator == AttributeFilter.ABSENT:
        return word is None
    if part.operator == AttributeFilter.EXCLUSIVE:
        return word not in part.values
    if part.operator == AttributeFilter.CONTAINS:
        return word is not None and any(value in word for value in part.values)
    return word in part.values


def metric_matches(sent: Event, part: MetricFilter) -> bool:
    if part.key not in sent.metrics:
        return False
    number = sent.metrics[part.key]
    return {
        MetricFilter.EQUAL: number == part.value,
        MetricFilter.GREATER_THAN: number > part.value,
        MetricFilter.LESS_THAN: number < part.value,
        MetricFilter.GREATER_THAN_OR_EQUAL: number >= part.value,
        MetricFilter.LESS_THAN_OR_EQUAL: number <= part.value,
        MetricFilter.BETWEEN: part.value <= number <= part.upper_value,
    }[part.operator]


def reached(funnel: Funnel, events: Sequence[Event]) -> int:
    """Tries every choice of different events, in order of time, within the window."""
    window = funnels.window_of(funnel)

    def best(step: int, first: datetime | None, last: datetime | None, used: frozenset[int]) -> int:
        if step == len(funnel.steps):
            return step
        deepest = step
        for index, sent in enumerate(events):
            time = sent.event_time.ToDatetime(UTC)
            if index in used or not matches(sent, funnel.steps[step].filter):
                continue
            if last is not None and time < last:
                continue
            if first is not None and time - first > window:
                continue
            deepest = max(deepest, best(step + 1, first or time, time, used | {index}))
        return deepest

    return best(0, None, None, frozenset())


@settings(deadline=None, max_examples=150)
@given(
    st.lists(steps, min_size=1, max_size=4),
    st.lists(happenings, min_size=1, max_size=16),
    st.integers(min_value=1, max_value=6),
)
async def test_the_engine_counts_what_the_contract_says(
    event_store, asked: list[FunnelStep], happened: list[tuple], window_seconds: int
) -> None:
    application = f"funnel-{next(_applications)}"
    funnel = Funnel(steps=asked, window=Duration(seconds=window_seconds), subject=Funnel.USER)
    by_user: dict[str, list[Event]] = defaultdict(list)
    for number, (event_type, second, user, word, price) in enumerate(happened):
        sent = event(
            number,
            event_type,
            event_time=stamp(NOW + timedelta(seconds=second)),
            user_id=user,
            attributes={} if word is None else {"color": word},
            metrics={} if price is None else {"price": price},
        )
        by_user[user].append(sent)
    every = [sent for sents in by_user.values() for sent in sents]
    recorded = EventsRecorded(application=application, events=every)
    await event_store.insert("events_recorded", EventsRecorded, [recorded.SerializeToString()])

    funnels.check(funnel)
    statement = funnels.statement(application, funnel, NOW, NOW + timedelta(days=1))
    answer = funnels.answer(funnel, await event_store.query(statement.text, statement.values))

    depths = [reached(funnel, sents) for sents in by_user.values()]
    expected = [
        sum(depth >= number for depth in depths) for number in range(1, len(funnel.steps) + 1)
    ]
    assert [step.count for step in answer.steps] == expected


def test_a_condition_carries_no_words_of_the_request() -> None:
    from analytics.reports.sql import Parameters

    parameters = Parameters()
    wanted = EventFilter(event_type="'; DROP TABLE events; --")
    wanted.attributes.add(key="') OR 1=1", values=["x'"])

    text = filters.condition(wanted, parameters)

    assert "DROP" not in text
    assert "1=1" not in text
    assert list(parameters.values.values()) == ["'; DROP TABLE events; --", "') OR 1=1", ["x'"]]
