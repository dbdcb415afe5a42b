"""Headers of long messages, and putting their parts together."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.sms import Concatenation, Reassembler, udh

concatenations = st.builds(
    lambda reference, total, sequence: Concatenation(reference, total, min(sequence, total)),
    st.integers(0, 0xFFFF),
    st.integers(1, 255),
    st.integers(1, 255),
)


@given(concatenations, st.binary(max_size=140))
def test_a_wide_header_comes_back(concatenation: Concatenation, content: bytes) -> None:
    assert udh.split(udh.encode(concatenation, wide=True) + content) == (concatenation, content)


@given(concatenations, st.binary(max_size=140))
def test_a_narrow_header_keeps_the_low_octet(concatenation: Concatenation, content: bytes) -> None:
    narrow = concatenation._replace(reference=concatenation.reference & 0xFF)

    assert udh.split(udh.encode(concatenation) + content) == (narrow, content)


@given(st.binary(max_size=160))
def test_any_octets_split_or_are_refused(octets: bytes) -> None:
    try:
        concatenation, content = udh.split(octets)
    except ValueError:
        return
    assert octets.endswith(content)
    assert concatenation is None or 1 <= concatenation.sequence <= concatenation.total


@pytest.mark.parametrize(
    ("octets", "concatenation"),
    [
        (b"\x05\x00\x03\x07\x02\x01x", Concatenation(7, 2, 1)),
        (b"\x06\x08\x04\x01\x02\x03\x02x", Concatenation(0x102, 3, 2)),
        (b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x02x", Concatenation(7, 2, 2)),
        (b"\x06\x05\x04\x0b\x84\x23\xf0x", None),
        (b"\x05\x00\x03\x07\x02\x03x", None),
        (b"\x05\x00\x03\x07\x00\x00x", None),
        (b"\x00x", None),
    ],
)
def test_a_header_is_read(octets: bytes, concatenation: Concatenation | None) -> None:
    assert udh.split(octets) == (concatenation, b"x")


@pytest.mark.parametrize("octets", [b"", b"\x09abc", b"\x03\x00\x09\x01"])
def test_a_broken_header_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="longer"):
        udh.split(octets)


def test_parts_in_any_order_make_the_message_until_it_is_forgotten() -> None:
    parts = [(Concatenation(9, 4, n + 1), b"%d" % n) for n in range(4)]
    random.Random(4).shuffle(parts)
    reassembler: Reassembler[bytes] = Reassembler()

    made = [reassembler.add("a", c, part, 0.0) for c, part in parts + parts[:1]]
    reassembler.forget("a", parts[0][0])

    assert made == [None] * 3 + [(b"0", b"1", b"2", b"3")] * 2
    assert len(reassembler) == 0


def test_a_part_that_was_seen_is_held() -> None:
    reassembler: Reassembler[bytes] = Reassembler()

    reassembler.add("a", Concatenation(1, 2, 1), b"a", 0.0)

    assert reassembler.holds("a", Concatenation(1, 2, 1))
    assert not reassembler.holds("a", Concatenation(1, 2, 2))
    assert not reassembler.holds("b", Concatenation(1, 2, 1))


def test_messages_of_others_are_kept_apart() -> None:
    reassembler = Reassembler()

    reassembler.add("a", Concatenation(1, 2, 1), b"a", 0.0)
    reassembler.add("b", Concatenation(1, 2, 2), b"b", 0.0)

    assert len(reassembler) == 2


def test_parts_that_wait_too_long_are_given_up() -> None:
    reassembler = Reassembler(age_seconds_max=10)

    reassembler.add("a", Concatenation(1, 2, 1), b"a", 0.0)

    assert reassembler.add("a", Concatenation(1, 2, 2), b"b", 10.5) is None
    assert len(reassembler) == 1


def test_the_oldest_is_given_up_when_too_many_are_open() -> None:
    reassembler = Reassembler(messages_max=3)

    for reference in range(20):
        reassembler.add("a", Concatenation(reference, 2, 1), b"a", 0.0)

    assert len(reassembler) == 3
