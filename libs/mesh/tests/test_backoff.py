"""How long it is until the next attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.backoff import Backoff

BACKOFF = Backoff(first_seconds=0.5, max_seconds=6.0)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(0, 0.5), (1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 6.0), (99, 6.0)]
)
def test_each_delay_is_twice_the_one_before_up_to_the_longest(attempt: int, seconds: float) -> None:
    assert BACKOFF.after(attempt) == seconds


@given(attempt=st.integers(0, 10**6), asked=st.none() | st.floats(0, 10**6))
def test_delays_grow_and_stay_bounded(attempt: int, asked: float | None) -> None:
    delay = BACKOFF.after(attempt, asked_seconds=asked)

    assert BACKOFF.first_seconds <= delay <= max(BACKOFF.max_seconds, asked or 0.0)
    assert delay <= BACKOFF.after(attempt + 1, asked_seconds=asked)


def test_a_longer_wish_for_delay_is_honoured() -> None:
    assert BACKOFF.after(1, asked_seconds=90.0) == 90.0
