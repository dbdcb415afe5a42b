"""The limits of events, as cases."""

from datetime import timedelta

import pytest
from analytics import limits
from analytics_samples import NOW, event, stamp
from heliograph.analytics.v1.event_pb2 import Event
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh.errors import InvalidArgument

KEY_51 = "k" * 51
THIRTY = [f"k{number}" for number in range(30)]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (event(), None),
        (event(event_id=""), "EVENT_ID_INVALID"),
        (event(event_id="i" * 128), None),
        (event(event_id="i" * 129), "EVENT_ID_INVALID"),
        (event(event_id="a/b"), "EVENT_ID_INVALID"),
        (event(event_type=""), "EVENT_TYPE_INVALID"),
        (event(event_type="t" * 100), None),
        (event(event_type="t" * 101), "EVENT_TYPE_INVALID"),
        (event(event_type="a/b"), "EVENT_TYPE_INVALID"),
        (event(event_type="_session.start"), None),
        (event(event_type="_monetization.purchase"), None),
        (event(event_type="_message.delivered"), "EVENT_TYPE_RESERVED"),
        (event(event_type="_email.open"), "EVENT_TYPE_RESERVED"),
        (event(event_type="_mine"), "EVENT_TYPE_RESERVED"),
        (event(event_time=None), "EVENT_TIME_INVALID"),
        (event(event_time=stamp(NOW + timedelta(hours=23))), None),
        (event(event_time=stamp(NOW + timedelta(hours=25))), "EVENT_TIME_INVALID"),
        (event(event_time=stamp(NOW - timedelta(days=3650))), None),
        (event(event_time=stamp(NOW - timedelta(days=3700))), "EVENT_TIME_INVALID"),
        (event(endpoint_id="e" * 200), None),
        (event(endpoint_id="e" * 201), "EVENT_FIELD_INVALID"),
        (event(endpoint_id="a/b"), "EVENT_FIELD_INVALID"),
        (event(endpoint_id="", user_id=""), None),
        (event(user_id="u" * 201), "EVENT_FIELD_INVALID"),
        (event(attributes={"k" * 50: "v" * 200}), None),
        (event(attributes={KEY_51: "v"}), "ATTRIBUTE_KEY_INVALID"),
        (event(attributes={"": "v"}), "ATTRIBUTE_KEY_INVALID"),
        (event(attributes={"k": "v" * 201}), "ATTRIBUTE_VALUE_TOO_LONG"),
        (event(attributes={"k": "ü" * 200}), None),
        (event(metrics={KEY_51: 1}), "ATTRIBUTE_KEY_INVALID"),
        (event(metrics={"k": float("nan")}), "METRIC_NOT_FINITE"),
        (event(metrics={"k": float("-inf")}), "METRIC_NOT_FINITE"),
        (event(attributes=dict.fromkeys(THIRTY, ""), metrics=dict.fromkeys(THIRTY[:10], 0)), None),
        (event(attributes=dict.fromkeys(THIRTY, ""), metrics=dict.fromkeys(THIRTY[:11], 0)),
         "TOO_MANY_ATTRIBUTES"),
        (event(session=Event.Session(session_id="s" * 129)), "EVENT_FIELD_INVALID"),
        (event(app=Event.App(country="DE")), None),
        (event(app=Event.App(country="DEU")), "EVENT_FIELD_INVALID"),
        (event(app=Event.App(version="1" * 101)), "EVENT_FIELD_INVALID"),
    ],
)  # fmt: skip
def test_an_event_is_refused_for_the_limit_it_breaks(sent: Event, reason: str | None) -> None:
    refusal = limits.refusal(sent, NOW.timestamp())

    assert (refusal.reason if refusal else None) == reason


def test_a_refusal_names_the_field() -> None:
    refusal = limits.refusal(event(attributes={"color": "v" * 201}), NOW.timestamp())

    assert refusal is not None
    assert refusal.violations[0].field == 'attributes["color"]'


def test_an_event_of_more_than_a_megabyte_is_refused_whatever_it_holds() -> None:
    unknown = event()
    unknown.MergeFromString(b"\xa2\x06" + b"\xc1\x84\x3d" + b"x" * 1_000_001)

    assert limits.size_refusal(event()) is None
    assert limits.size_refusal(unknown).reason == "EVENT_TOO_LARGE"  # type: ignore[union-attr]


def test_a_request_of_more_than_four_megabytes_is_refused() -> None:
    limits.refuse_large(4 * 1024 * 1024)

    with pytest.raises(InvalidArgument) as refused:
        limits.refuse_large(4 * 1024 * 1024 + 1)
    assert refused.value.reason == "REQUEST_TOO_LARGE"


@settings(deadline=None)
@given(
    st.builds(
        Event,
        event_id=st.text(max_size=130),
        event_type=st.text(max_size=102),
        endpoint_id=st.text(max_size=10),
        attributes=st.dictionaries(st.text(max_size=52), st.text(max_size=202), max_size=5),
        metrics=st.dictionaries(st.text(max_size=52), st.floats(), max_size=5),
    )
)
def test_any_event_is_either_taken_or_refused_for_a_reason_of_the_contract(sent: Event) -> None:
    from heliograph.analytics.v1.error_reason_pb2 import ErrorReason

    sent.event_time.CopyFrom(stamp(NOW))

    refusal = limits.refusal(sent, NOW.timestamp())

    assert refusal is None or ErrorReason.Value(refusal.reason)
