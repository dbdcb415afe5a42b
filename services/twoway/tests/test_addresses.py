"""One spelling for one phone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twoway import addresses


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("+14155550123", "+14155550123"),
        ("14155550123", "+14155550123"),
        ("0014155550123", "+14155550123"),
        ("+1 (415) 555-0123", "+14155550123"),
        (" +14155550123 ", "+14155550123"),
        ("12345", "12345"),
        ("12 345", "12345"),
        ("ACME", "acme"),
        ("ACME/shop", "acme_shop"),
        ("", ""),
    ],
)
def test_an_address_has_one_spelling(address: str, canonical: str) -> None:
    assert addresses.canonical(address) == canonical


@given(st.text(max_size=30))
def test_the_spelling_of_a_spelling_is_itself(address: str) -> None:
    once = addresses.canonical(address)

    assert addresses.canonical(once) == once
    assert "/" not in once
