"""Alphabets and segmentation, checked against smsutil."""

import pytest
import smsutil
from hypothesis import example, given
from hypothesis import strategies as st
from mesh.sms import DataCoding, Encoding, data_coding, gsm7, segment

BASIC = smsutil.codecs.GSM_BASIC_CHARSET.replace("\x1b", "")
EXTENSION = "\f^{}\\[~]|€"

gsm_texts = st.text(st.sampled_from(BASIC + EXTENSION * 4), max_size=500)
any_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
oracle_texts = st.one_of(
    gsm_texts, any_texts, st.text(st.sampled_from("aéпр漢😀🎉"), max_size=300)
).map(
    lambda text: text.replace("\x1b", "") or "x"  # the oracle errs on both
)
ucs2_texts = st.text(st.sampled_from("aéпр漢😀🎉"), min_size=60, max_size=300)


@given(oracle_texts)
@example("x" * 160)
@example("x" * 161)
@example("x" * 152 + "€" + "x" * 10)
@example("x" * 159 + "[")
@example("п" * 70)
@example("п" * 71)
@example("п" * 66 + "😀" + "п" * 5)
def test_parts_are_those_of_smsutil(text: str) -> None:
    expected = smsutil.split(text)

    cut = segment(text)

    assert cut.encoding.name == {"gsm0338": "GSM7", "utf_16_be": "UCS2"}[expected.encoding]
    texts = [data_coding.decode(part, cut.encoding.data_coding) for part in cut.parts]
    assert [text for text in texts if text] == [
        part.content for part in expected.parts if part.content
    ]


@given(gsm_texts)
def test_septets_are_those_of_smsutil(text: str) -> None:
    assert gsm7.encode(text) == text.encode("gsm0338")


@given(st.one_of(gsm_texts, any_texts, ucs2_texts))
def test_parts_fit_and_join_to_the_text(text: str) -> None:
    cut = segment(text)

    joined = data_coding.decode(b"".join(cut.parts), cut.encoding.data_coding)
    alone, per_part = (160, 153) if cut.encoding is Encoding.GSM7 else (140, 134)
    assert joined == text
    assert all(len(part) <= (alone if len(cut.parts) == 1 else per_part) for part in cut.parts)
    assert not any(part.endswith(b"\x1b") for part in cut.parts if cut.encoding is Encoding.GSM7)


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "units"),
    [
        ("", Encoding.GSM7, 1, 0),
        ("x" * 160, Encoding.GSM7, 1, 160),
        ("x" * 161, Encoding.GSM7, 2, 161),
        ("€" * 80, Encoding.GSM7, 1, 160),
        ("€" * 81, Encoding.GSM7, 2, 162),
        ("x" * 152 + "€" + "x" * 152, Encoding.GSM7, 3, 306),
        ("Ça va", Encoding.GSM7, 1, 5),
        ("ça va", Encoding.UCS2, 1, 5),
        ("a“b", Encoding.UCS2, 1, 3),
        ("a`b", Encoding.UCS2, 1, 3),
        ("a\tb", Encoding.UCS2, 1, 3),
        ("a\u00a0b", Encoding.UCS2, 1, 3),
        ("\x1b", Encoding.UCS2, 1, 1),
        ("п" * 70, Encoding.UCS2, 1, 70),
        ("п" * 71, Encoding.UCS2, 2, 71),
        ("😀" * 35, Encoding.UCS2, 1, 70),
        ("п" + "😀" * 66, Encoding.UCS2, 2, 133),
        ("😀" * 67, Encoding.UCS2, 3, 134),
    ],
)
def test_a_text_has_its_parts(text: str, encoding: Encoding, parts: int, units: int) -> None:
    cut = segment(text)

    assert (cut.encoding, len(cut.parts), cut.units) == (encoding, parts, units)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b", " "),
        (b"\x1b\x1b", " "),
        (b"\x1bA", "A"),
        (b"a\x80b", "a\ufffdb"),
        (b"\x1b\x80", "\ufffd"),
    ],
)
def test_what_is_no_septet_is_still_shown(octets: bytes, text: str) -> None:
    assert gsm7.decode(octets) == text


@given(st.binary(max_size=200), st.integers(0, 255))
def test_any_octets_decode(octets: bytes, coding: int) -> None:
    assert isinstance(data_coding.decode(octets, coding), str)


@pytest.mark.parametrize("coding", list(DataCoding))
def test_a_coding_gives_back_what_it_took(coding: DataCoding) -> None:
    assert data_coding.decode(data_coding.encode("Hello 42!", coding), coding) == "Hello 42!"


def test_a_text_that_a_coding_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="GSM 7-bit"):
        data_coding.encode("漢", DataCoding.DEFAULT)
    with pytest.raises(ValueError, match="ascii"):
        data_coding.encode("é", DataCoding.IA5)
