from datetime import UTC, datetime

from heliograph import message_ids
from hypothesis import given
from hypothesis import strategies as st

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(TIMES, st.text(), st.text(), st.text())
def test_the_same_recipient_of_the_same_source_is_the_same_message(time, application, source, key):
    first = message_ids.derive(message_ids.prefix(time), application, source, key)
    again = message_ids.derive(message_ids.prefix(time), application, source, key)

    assert first == again
    assert first.version == 7
    assert first.variant == "specified in RFC 4122"


@given(TIMES)
def test_the_ledger_day_follows_from_the_id(time):
    message_id = message_ids.derive(message_ids.prefix(time), "a", "run", "e1")

    assert message_ids.day_of(message_id) == time.date()
    assert message_ids.time_of(message_id) == time.replace(
        microsecond=time.microsecond // 1000 * 1000
    )


def test_neither_application_nor_source_nor_key_can_be_shifted_into_one_another():
    prefix = message_ids.prefix(datetime(2026, 11, 21, tzinfo=UTC))
    parts = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("", "ab", "c"), ("a", "b", "d")]

    assert len({message_ids.derive(prefix, *part) for part in parts}) == len(parts)
