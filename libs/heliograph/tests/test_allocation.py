from collections import Counter

import pytest
from heliograph.allocation import HOLDOUT, allocation
from hypothesis import given
from hypothesis import strategies as st

ENDPOINTS = [f"e-{number}" for number in range(20_000)]
CAMPAIGN = "applications/demo/campaigns/welcome"


def shares(holdout_percent, percents):
    chosen = allocation(CAMPAIGN, holdout_percent, percents)
    counts = Counter(chosen.treatment_index(endpoint) for endpoint in ENDPOINTS)
    return {index: count / len(ENDPOINTS) for index, count in counts.items()}


@pytest.mark.parametrize(
    ("holdout_percent", "percents", "expected"),
    [
        (0, [0], {0: 1.0}),
        (0, [0, 0], {0: 0.5, 1: 0.5}),
        (10, [50, 50], {HOLDOUT: 0.1, 0: 0.45, 1: 0.45}),
        (0, [90, 10], {0: 0.9, 1: 0.1}),
        (50, [20, 20, 20, 20, 20], {HOLDOUT: 0.5, **dict.fromkeys(range(5), 0.1)}),
        (100, [0], {HOLDOUT: 1.0}),
    ],
)
def test_shares_are_what_was_asked_for(holdout_percent, percents, expected):
    found = shares(holdout_percent, percents)

    assert found.keys() == expected.keys()
    for index, share in expected.items():
        assert found[index] == pytest.approx(share, abs=0.015)


@given(st.text(min_size=1), st.integers(0, 100), st.integers(1, 5))
def test_an_endpoint_always_gets_the_same_answer(endpoint, holdout_percent, treatments):
    percents = [0] * treatments

    first = allocation(CAMPAIGN, holdout_percent, percents).treatment_index(endpoint)

    assert allocation(CAMPAIGN, holdout_percent, percents).treatment_index(endpoint) == first
    assert first in range(-1, treatments)


def test_a_larger_holdout_moves_nobody_between_treatments():
    small = allocation(CAMPAIGN, 10, [50, 50])
    large = allocation(CAMPAIGN, 30, [50, 50])

    for endpoint in ENDPOINTS[:2_000]:
        after = large.treatment_index(endpoint)
        assert after in (HOLDOUT, small.treatment_index(endpoint))


def test_campaigns_draw_independently_of_one_another():
    first = allocation(CAMPAIGN, 0, [50, 50])
    second = allocation("applications/demo/campaigns/other", 0, [50, 50])

    same = sum(
        first.treatment_index(endpoint) == second.treatment_index(endpoint)
        for endpoint in ENDPOINTS
    )

    assert same / len(ENDPOINTS) == pytest.approx(0.5, abs=0.02)
