"""Addresses by channel: what is one, what is none, and the fast way against the library."""

import phonenumbers
import pytest
from audience.endpoints import addresses, phone_numbers
from hypothesis import example, given
from hypothesis import strategies as st
from mesh.errors import InvalidArgument

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def by_library(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(code=st.sampled_from(CODES), national=st.from_regex(r"[0-9]{3,13}", fullmatch=True))
@example(code=49, national="0170123456")
@example(code=39, national="0669812345")
@example(code=52, national="15512345678")
@example(code=54, national="91123456789")
@example(code=672, national="10000")
def test_the_fast_way_agrees_with_the_library(code: int, national: str) -> None:
    text = f"+{code}{national}"
    fast, library = phone_numbers.canonical(text), by_library(text)

    # Where a trunk or mobile prefix hides inside, the library rewrites a number that is dialled
    # as it stands; both are numbers, or neither is.
    assert (fast is None) == (library is None)
    if library != text:
        assert fast in (library, text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+14155550123", "+14155550123"),
        ("+1 (415) 555-0123", "+14155550123"),
        (" +44 20 7946 0958 ", "+442079460958"),
        ("+49 (0)170 1234567", "+491701234567"),
        ("+390669812345", "+390669812345"),
    ],
)
def test_a_number_is_stored_as_e164(text: str, number: str) -> None:
    assert addresses.canonical(1, text) == number
    assert addresses.canonical(6, text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "+", "555", "4155550123", "0014155550123", "+1", "+0123456789", "+999123456789"),
        *("+1415555012345678", "+1415555", "hello", "tel:+14155550123x", "+14155550123 ext 5"),
        *("+1-800-FLOWERS-NOT-REALLY-A-NUMBER-AT-ALL-IS-IT", "+1415555\u0660123\0"),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        addresses.canonical(1, text)

    assert refusal.value.reason == "ADDRESS_INVALID"


@pytest.mark.parametrize(
    ("text", "mail"),
    [
        ("a@b.io", "a@b.io"),
        (" Ann.O'Neil+tag@Example.COM ", "Ann.O'Neil+tag@example.com"),
        ("ünï@exämple.de", "ünï@exämple.de"),
        ("x@sub-domain.example.museum", "x@sub-domain.example.museum"),
        (f"{'a' * 64}@b.io", f"{'a' * 64}@b.io"),
    ],
)
def test_a_mail_address_is_stored_with_its_domain_in_lower_case(text: str, mail: str) -> None:
    assert addresses.canonical(2, text) == mail


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a@", "@b.io", "a@b", "a@b..io", ".a@b.io", "a.@b.io", "a..b@b.io", "a b@c.io"),
        *("a@-b.io", "a@b-.io", "a@1.2.3.4", "a@b.io\n.x", "a@b@c.io", "<a@b.io>", "a@b_c.io"),
        *(f"{'a' * 65}@b.io", f"a@{'b' * 64}.io", f"a@{'b.' * 130}io", "a\0@b.io", "a@b.io,c@d.io"),
    ],
)
def test_what_is_no_mail_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        addresses.canonical(2, text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "a\0", "x" * 4097])
def test_what_is_no_token_is_refused(text: str) -> None:
    if text == "a\n":
        assert addresses.canonical(3, text) == "a"
        return
    with pytest.raises(InvalidArgument):
        addresses.canonical(3, text)


def test_a_derived_id_depends_on_channel_and_address() -> None:
    ids = {
        addresses.derived_id(channel, address)
        for channel in (1, 6)
        for address in ("+14155550123", "+14155550124")
    }

    assert len(ids) == 4
    assert addresses.derived_id(1, "+14155550123") in ids
