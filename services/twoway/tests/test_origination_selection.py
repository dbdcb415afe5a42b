"""Which identity a message should come from: tables of cases, and what holds for all of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twoway.originations.selection import (
    SENDER_ID,
    Candidate,
    Obstacle,
    Wanted,
    obstacle,
    reaches,
    select,
)

TYPES = ("SHORT_CODE", "LONG_CODE", "TOLL_FREE", "TEN_DLC", SENDER_ID)
COUNTRIES = ("US", "CA", "DE", "FR")
SMS, TRANSACTIONAL, PROMOTIONAL = frozenset(["SMS"]), "TRANSACTIONAL", "PROMOTIONAL"
TO_US = Wanted("+12065550199", "US")
TO_CA = Wanted("+14165550199", "CA")
TO_DE = Wanted("+4915112345678", "DE")


def one(kind: str, country: str = "US", number: int = 1, **settings: object) -> Candidate:
    made = Candidate(
        name=f"applications/shop/{kind}/{country}-{number}",
        type=kind,
        country_code=country,
        capabilities=SMS,
        message_types=frozenset([TRANSACTIONAL]),
        two_way=kind != SENDER_ID,
    )
    return replace(made, **settings)  # type: ignore[arg-type]


# In the order in which they are chosen.
ORDERS = [
    (TO_US, [one("SHORT_CODE"), one("TEN_DLC"), one("TOLL_FREE"), one("LONG_CODE"),
             one("TEN_DLC", "CA"), one("LONG_CODE", "DE"), one("SHORT_CODE", "")]),
    (TO_CA, [one("SHORT_CODE", "CA"), one("LONG_CODE", "CA"), one("TOLL_FREE", "CA"),
             one("LONG_CODE", "US"), one("TOLL_FREE", "US"), one("TEN_DLC", "US"),
             one("SHORT_CODE", "")]),
    (TO_DE, [one("SHORT_CODE", "DE"), one("LONG_CODE", "DE"), one(SENDER_ID, "DE"),
             one("LONG_CODE", "FR"), one("TEN_DLC", "US")]),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "order"), ORDERS)
def test_the_nearest_that_can_be_answered_is_chosen(wanted: Wanted, order: list[Candidate]) -> None:
    for position, best in enumerate(order):
        chosen = select(reversed(order[position:]), wanted).candidate
        assert chosen == best


@pytest.mark.parametrize(
    ("kind", "country", "there", "expected"),
    [
        ("SHORT_CODE", "US", "US", True),
        ("SHORT_CODE", "US", "CA", False),
        ("SHORT_CODE", "", "US", True),
        ("TOLL_FREE", "US", "CA", True),
        ("TOLL_FREE", "US", "DE", False),
        ("LONG_CODE", "US", "DE", True),
        ("TEN_DLC", "US", "CA", True),
        (SENDER_ID, "DE", "DE", True),
        (SENDER_ID, "DE", "AT", False),
        (SENDER_ID, "DE", "", False),
    ],
)
def test_an_identity_reaches_where_its_kind_works(
    kind: str, country: str, there: str, expected: bool
) -> None:
    assert reaches(one(kind, country), there) is expected


@pytest.mark.parametrize(
    ("candidate", "wanted", "expected"),
    [
        (one("LONG_CODE"), TO_US, None),
        (one("SIMULATOR"), TO_US, Obstacle.SIMULATED),
        (one("LONG_CODE"), replace(TO_US, capability="MMS"), Obstacle.CAPABILITY),
        (one("LONG_CODE"), replace(TO_US, message_type=PROMOTIONAL), Obstacle.MESSAGE_TYPE),
        (one("LONG_CODE"), replace(TO_US, message_type=TRANSACTIONAL), None),
        (one("LONG_CODE", two_way=False), replace(TO_US, two_way=True), Obstacle.ONE_WAY),
        (one(SENDER_ID, "DE"), replace(TO_DE, two_way=True), Obstacle.ONE_WAY),
        (one("SHORT_CODE", "CA"), TO_US, Obstacle.COUNTRY),
        (one("LONG_CODE", name="applications/shop/phoneNumbers/+12065550199"), TO_US,
         Obstacle.ITSELF),
    ],
)  # fmt: skip
def test_what_cannot_carry_the_message_is_told_why(
    candidate: Candidate, wanted: Wanted, expected: Obstacle | None
) -> None:
    assert obstacle(candidate, wanted) is expected


def test_the_explanation_says_why_this_one_or_why_none() -> None:
    foreign = select([one("LONG_CODE", "CA")], TO_US)
    alike = select([one("LONG_CODE"), one("LONG_CODE", number=2)], TO_US)
    none = select([one("SHORT_CODE", "CA"), one("SHORT_CODE", "DE"), one("SIMULATOR")], TO_US)

    assert foreign.explanation == "a long code of CA, as nothing of US fits"
    assert alike.explanation.startswith("a long code of US; one of 2 alike")
    assert none.candidate is None
    assert none.explanation == (
        "2 of a country from which it does not reach there; 1 only simulated"
    )
    assert select([], TO_US).explanation == "there is no number or sender id"


CANDIDATES = st.lists(
    st.builds(
        one,
        st.sampled_from(TYPES),
        st.sampled_from(COUNTRIES),
        st.integers(1, 5),
        two_way=st.booleans(),
        message_types=st.sampled_from([frozenset([TRANSACTIONAL]), frozenset([PROMOTIONAL])]),
    ),
    max_size=12,
    unique_by=lambda candidate: candidate.name,
)
WANTED = st.builds(
    Wanted,
    destination=st.integers(10**9, 10**11).map(lambda number: f"+{number}"),
    country_code=st.sampled_from(COUNTRIES),
    message_type=st.sampled_from(["", TRANSACTIONAL, PROMOTIONAL]),
    two_way=st.booleans(),
)


@given(CANDIDATES, WANTED, st.randoms())
def test_the_choice_fits_and_does_not_depend_on_the_order(
    candidates: list[Candidate], wanted: Wanted, random: object
) -> None:
    chosen = select(candidates, wanted).candidate
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert select(shuffled, wanted).candidate == chosen
    fitting = [candidate for candidate in candidates if obstacle(candidate, wanted) is None]
    assert chosen in fitting if fitting else chosen is None


@given(CANDIDATES, WANTED)
def test_who_is_not_chosen_may_go_and_nobody_changes(
    candidates: list[Candidate], wanted: Wanted
) -> None:
    chosen = select(candidates, wanted).candidate

    for other in candidates:
        if other != chosen:
            rest = [candidate for candidate in candidates if candidate != other]
            assert select(rest, wanted).candidate == chosen


def test_people_are_shared_out_among_numbers_alike() -> None:
    numbers = [one("LONG_CODE", number=number) for number in range(4)]
    chosen = [
        select(numbers, replace(TO_US, destination=f"+1206{person:07}")).candidate
        for person in range(400)
    ]

    assert all(70 < chosen.count(number) < 130 for number in numbers)
