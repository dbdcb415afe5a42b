"""Sets of endpoints against a plain evaluator, on random events of clients and of messages."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

from analytics.matching import conditions
from analytics_samples import NOW, event, message_event, stamp
from analytics_store import store_events, store_messages
from google.protobuf.duration_pb2 import Duration
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter, EventCondition, EventFilter
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.messaging.v1.events_pb2 import MessageEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh.errors import InvalidArgument
from test_funnel_properties import WORDS, attribute_filters, happenings, matches, metric_filters

_applications = count(1)
_numbers = count(1)

LATER = NOW + timedelta(days=3650)
ENDPOINTS = ("e1", "e10", "e2", "é", "日", "🎈", "Z")
RUNS = ("spring/runs/r1", "spring/runs/r2", "autumn/runs/r1")
MESSAGE_TYPES = {
    "_message.sent": MessageEvent.SENT,
    "_message.opened": MessageEvent.OPENED,
    "_message.clicked": MessageEvent.CLICKED,
}

seconds = st.integers(min_value=-2, max_value=9)
times = st.none() | seconds.map(lambda second: stamp(NOW + timedelta(seconds=second)))
client_filters = st.builds(
    EventFilter,
    event_type=st.sampled_from(["view", "add", "buy"]),
    attributes=st.lists(attribute_filters, max_size=2),
    metrics=st.lists(metric_filters, max_size=1),
)
message_filters = st.builds(
    EventFilter,
    event_type=st.sampled_from(sorted(MESSAGE_TYPES)),
    attributes=st.lists(
        st.builds(
            AttributeFilter,
            key=st.sampled_from(["campaign", "run", "detail"]),
            operator=st.sampled_from(
                [0, AttributeFilter.INCLUSIVE, AttributeFilter.EXCLUSIVE, AttributeFilter.CONTAINS]
            ),
            values=st.lists(st.sampled_from(["spring", "autumn", "r1", "", "x"]), min_size=1),
        ),
        max_size=2,
    ),
)
asked_conditions = st.builds(
    EventCondition,
    filter=client_filters | message_filters,
    at_least=st.integers(min_value=0, max_value=3),
    window=st.none() | st.integers(min_value=1, max_value=8).map(lambda n: Duration(seconds=n)),
    start_time=times,
    end_time=times,
    first_ever=st.booleans(),
)
client_events = st.lists(st.tuples(happenings, st.sampled_from(ENDPOINTS)), max_size=25)
message_events = st.lists(
    st.tuples(
        st.sampled_from(sorted(MESSAGE_TYPES)),
        st.sampled_from(ENDPOINTS),
        st.sampled_from(RUNS),
        seconds,
        WORDS,
    ),
    max_size=15,
)


def met(condition: EventCondition, events: list[Event], read_time: datetime) -> bool:
    """Whether events, all of one endpoint, meet the condition."""
    hits = [one.event_time.ToDatetime(UTC) for one in events if matches(one, condition.filter)]
    inside = [time for time in hits if is_within(condition, time, read_time)]
    is_first = not condition.first_ever or bool(hits and is_within(condition, min(hits), read_time))
    return len(inside) >= max(condition.at_least, 1) and is_first


def is_within(condition: EventCondition, time: datetime, read_time: datetime) -> bool:
    return (
        (not condition.HasField("window") or time >= read_time - condition.window.ToTimedelta())
        and (not condition.HasField("start_time") or time >= condition.start_time.ToDatetime(UTC))
        and (not condition.HasField("end_time") or time < condition.end_time.ToDatetime(UTC))
    )


def is_refused(condition: EventCondition) -> bool:
    try:
        conditions.check(condition)
    except InvalidArgument:
        return True
    return False


def sent_by_clients(happened: list) -> list[Event]:
    return [
        event(
            number,
            event_type,
            event_time=stamp(NOW + timedelta(seconds=second)),
            endpoint_id=endpoint,
            attributes={} if word is None else {"color": word},
            metrics={} if price is None else {"price": price},
        )
        for number, ((event_type, second, _, word, price), endpoint) in enumerate(happened)
    ]


def announced(application: str, happened: list) -> list[MessageEvent]:
    return [
        message_event(
            next(_numbers),
            MESSAGE_TYPES[event_type],
            f"applications/{application}/campaigns/{run}",
            endpoint=f"applications/{application}/endpoints/{endpoint}",
            event_time=stamp(NOW + timedelta(seconds=second)),
            detail=word,
        )
        for event_type, endpoint, run, second, word in happened
    ]


def as_event(sent: MessageEvent) -> Event:
    """A message event as the contract shows it among events."""
    kinds = {kind: name for name, kind in MESSAGE_TYPES.items()}
    words = sent.run.split("/")
    attributes = {"campaign": words[3], "run": words[5]}
    if sent.detail:
        attributes["detail"] = sent.detail
    return Event(
        event_type=kinds[sent.kind],
        event_time=sent.event_time,
        endpoint_id=sent.endpoint.rpartition("/")[2],
        attributes=attributes,
    )


@settings(deadline=None, max_examples=100)
@given(
    condition=asked_conditions.filter(lambda condition: not is_refused(condition)),
    happened=client_events,
    became=message_events,
    limit=st.integers(min_value=1, max_value=4),
)
async def test_the_engine_finds_whom_the_contract_means(
    event_store, condition: EventCondition, happened: list, became: list, limit: int
) -> None:
    application = f"match-{next(_applications)}"
    sent, messages = sent_by_clients(happened), announced(application, became)
    # All of it twice: what arrives again counts once.
    await asyncio.gather(
        *(store_events(event_store, application, *sent) for _ in range(2)),
        *(store_messages(event_store, application, *messages) for _ in range(2)),
    )
    every = [*sent, *map(as_event, messages)]
    window_end = NOW + timedelta(seconds=6)
    condition = moved(condition, window_end)
    asked = conditions.Asked(application, condition, LATER)

    found: list[str] = []
    while True:
        statement = conditions.after(asked, found[-1] if found else "", limit)
        page = await event_store.column(statement.text, statement.values)
        found += page
        if len(page) < limit:
            break
    among = conditions.among(asked, [*ENDPOINTS[::2], "nobody"])
    given_ones = await event_store.query(among.text, among.values)

    expected = sorted(
        (
            one
            for one in ENDPOINTS
            if met(condition, [sent for sent in every if sent.endpoint_id == one], LATER)
        ),
        key=str.encode,
    )
    assert found == expected
    assert {row["endpoint_id"]: row["happened"] for row in given_ones} == {
        one: happened_to(one, condition, every) for one in expected if one in ENDPOINTS[::2]
    }


def happened_to(endpoint: str, condition: EventCondition, every: list[Event]) -> int:
    """How many events of an endpoint count."""
    return sum(
        one.endpoint_id == endpoint
        and matches(one, condition.filter)
        and is_within(condition, one.event_time.ToDatetime(UTC), LATER)
        for one in every
    )


def moved(condition: EventCondition, end: datetime) -> EventCondition:
    """The condition, its window seen from the time of reading as it was from `end`."""
    if condition.HasField("window"):
        condition.window.FromTimedelta(condition.window.ToTimedelta() + (LATER - end))
    return condition
