"""Instants in attributes: ClickHouse reads what `heliograph.instants` reads, and compares alike."""

from datetime import datetime

import pytest
from analytics.matching import conditions
from analytics.reports import instants
from analytics_samples import NOW, event
from analytics_store import store_events
from heliograph import instants as readable
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter, EventCondition, EventFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh.errors import InvalidArgument

TEXTS = (
    *("2026-03-01", "2026-03-01T10:30", "2026-03-01 10:30", "2026-03-01T10:30:00.5Z"),
    *("2026-03-01T10:30:00.123456789+05:30", "2026-03-01T23:30-0200", "2024-02-29", "2023-02-29"),
    *("1900-02-29", "2000-02-29", "1000-01-01", "9999-12-31", "1969-12-31T23:59:59.999999Z"),
    *("2026-13-01", "2026-00-10", "2026-01-00", "2026-01-32", "0999-01-01", "10000-01-01"),
    *("2026-03-01T24:00", "2026-03-01T10:30:60", "2026-03-01T10:30+14:59", "2026-03-01T10:30+15"),
    *("2026-03-01T10:30:00.1234567890", "2026-03-01T10:30Z\n", "2026-3-1", "tomorrow", "", "٢٠٢٦"),
)
digits = st.text("0123456789", min_size=2, max_size=2)
written = st.builds(
    lambda year, month, day, hour, minute, rest: f"{year}-{month}-{day}T{hour}:{minute}{rest}",
    st.integers(0, 10_100).map(str),
    *([digits] * 4),
    st.sampled_from(["", "Z", ":07", ":59.25Z", ":00+05:30", "-0930", ":30.000001-14:00", "+1"]),
)
read_here = written | st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda time: time.isoformat()
)
SELECT = f"""
SELECT text, {instants.is_instant_sql("text")} AS is_instant,
    {instants.micros_sql("text")} AS micros, {instants.day_sql("text")} AS day
FROM (SELECT arrayJoin({{texts:Array(String)}}) AS text)
"""


@settings(deadline=None, max_examples=25)
@given(st.lists(read_here, min_size=1, max_size=50))
async def test_the_engine_reads_the_same_instants(event_store, texts: list[str]) -> None:
    rows = await event_store.query(SELECT, {"texts": [*texts, *TEXTS]})

    for row in rows:
        read = readable.read(row["text"])
        assert bool(row["is_instant"]) == (read is not None), row["text"]
        if read is not None:
            assert row["micros"] == instants.micros(read), row["text"]
            assert row["day"] == instants.day(instants.micros(read)), row["text"]


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        (AttributeFilter.BEFORE, ["2026-02-01", "2026-03-01T10:30Z"], ["e0", "e2"]),
        (AttributeFilter.AFTER, ["2026-03-01T10:30Z", "2027-01-01"], ["e3"]),
        (AttributeFilter.ON, ["2026-03-01T23:59:59Z"], ["e1", "e2"]),
        (AttributeFilter.BETWEEN, ["2026-03-01", "2026-03-01T10:30Z"], ["e1", "e2"]),
        (AttributeFilter.BETWEEN, ["2026-03-01T10:30Z", "2026-03-01T10:30Z"], ["e1"]),
    ],
)
async def test_events_are_found_by_instants_in_their_attributes(
    event_store, application, operator: int, values: list[str], expected: list[str]
) -> None:
    until = ("2026-01-01", "2026-03-01T12:30+02:00", "2026-03-01", "2030-01-01", "soon")
    events = [
        event(number, "buy", endpoint_id=f"e{number}", attributes={"until": text})
        for number, text in enumerate(until)
    ]
    await store_events(event_store, application, *events, event(9, "buy", endpoint_id="e9"))
    wanted = EventFilter(event_type="buy")
    wanted.attributes.add(key="until", operator=operator, values=values)
    asked = conditions.Asked(application, EventCondition(filter=wanted), NOW)

    statement = conditions.after(asked, "", 100)

    assert list(await event_store.column(statement.text, statement.values)) == expected


@pytest.mark.parametrize(
    ("operator", "values", "field"),
    [
        (AttributeFilter.BEFORE, ["2026-01-01", "soon"], "f.attributes[0].values[1]"),
        (AttributeFilter.ON, [], "f.attributes[0].values"),
        (AttributeFilter.BETWEEN, ["2026-01-01"], "f.attributes[0].values"),
        (AttributeFilter.BETWEEN, ["2026-02-01", "2026-01-01"], "f.attributes[0].values"),
    ],
)
def test_what_is_no_instant_is_refused(operator: int, values: list[str], field: str) -> None:
    from analytics.reports import filters

    wanted = EventFilter(event_type="buy")
    wanted.attributes.add(key="until", operator=operator, values=values)

    with pytest.raises(InvalidArgument) as refusal:
        filters.check(wanted, "f")

    assert (refusal.value.reason, refusal.value.violations[0].field) == ("FILTER_INVALID", field)
