"""Receipts and long messages, in the forms that carriers send them."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.smpp import (
    DeliverSm,
    FieldError,
    MessageState,
    Receipt,
    SubmitSm,
    Tag,
    long_messages,
    receipts,
)
from mesh.sms import Concatenation, Reassembler, data_coding, segment, udh

APPENDIX_B = (
    b"id:IIIIIIIIII sub:001 dlvrd:001 submit date:2611211201 done date:2611211202 "
    b"stat:DELIVRD err:000 text:Hello id:no stat:no"
)


def receipt(text: bytes, tlvs: dict[int, bytes] | None = None, coding: int = 0) -> DeliverSm:
    return DeliverSm(short_message=text, esm_class=4, tlvs=tlvs or {}, data_coding=coding)


def test_the_form_of_the_standard_is_read() -> None:
    assert receipts.parse(receipt(APPENDIX_B)) == Receipt(
        "IIIIIIIIII",
        MessageState.DELIVERED,
        "000",
        1,
        1,
        "2611211201",
        "2611211202",
        "Hello id:no stat:no",
    )


@pytest.mark.parametrize(
    ("text", "message_id", "state"),
    [
        (b"id:1 stat:UNDELIV err:1a2", "1", MessageState.UNDELIVERABLE),
        (b"ID:1 STAT:delivrd", "1", MessageState.DELIVERED),
        (b"id: 7F sub: 1 stat: EXPIRED", "7F", MessageState.EXPIRED),
        (b"id:a-b_c.d stat:REJECTD text:", "a-b_c.d", MessageState.REJECTED),
        (b"id:1 sub:x dlvrd:\xb2 stat:ACCEPTD", "1", MessageState.ACCEPTED),
        (b"id:1 sub:" + b"9" * 200 + b" stat:DELETED", "1", MessageState.DELETED),
        (b"id:1\nstat:ENROUTE\n", "1", MessageState.ENROUTE),
    ],
)
def test_other_dialects_are_read(text: bytes, message_id: str, state: MessageState) -> None:
    read = receipts.parse(receipt(text))

    assert read is not None
    assert (read.message_id, read.state) == (message_id, state)


def test_a_receipt_in_ucs2_is_read() -> None:
    read = receipts.parse(receipt("id:12 stat:DELIVRD".encode("utf-16-be"), coding=8))

    assert read == Receipt("12", MessageState.DELIVERED, delivered=1)


@pytest.mark.parametrize("text", [b"", b"hello", b"id: stat:DELIVRD", b"id:1 stat:WHAT", b"id:1"])
def test_what_tells_no_id_or_state_is_no_receipt(text: bytes) -> None:
    assert receipts.parse(receipt(text)) is None


def test_parameters_win_over_text() -> None:
    tlvs = {
        Tag.RECEIPTED_MESSAGE_ID: b"abc\0",
        Tag.MESSAGE_STATE: b"\x05",
        Tag.USER_MESSAGE_REFERENCE: b"\x01\x02",
        Tag.NETWORK_ERROR_CODE: b"\x03\x00\x2a",
    }

    read = receipts.parse(receipt(b"id:999 stat:DELIVRD", tlvs))

    assert read == Receipt(
        "abc", MessageState.UNDELIVERABLE, error="042", user_message_reference=0x102
    )


def test_a_text_that_must_be_a_receipt_by_class_only() -> None:
    assert receipts.is_receipt(DeliverSm(esm_class=0x04))
    assert receipts.is_receipt(DeliverSm(esm_class=0x20))
    assert not receipts.is_receipt(DeliverSm(esm_class=0x40, short_message=APPENDIX_B))


@given(st.builds(
    Receipt,
    st.text(st.sampled_from("0123456789abcdefABCDEF-"), min_size=1, max_size=64),
    st.sampled_from(MessageState),
    st.from_regex(r"[0-9A-F]{3}", fullmatch=True),
    st.integers(0, 999),
    st.integers(0, 999),
    st.just("2611211201"),
    st.just("261121120155"),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.lstrip),
))  # fmt: skip
def test_what_is_rendered_is_read_the_same(sent: Receipt) -> None:
    in_text = receipts.parse(receipt(receipts.render(sent)))
    in_both = receipts.parse(receipt(receipts.render(sent), receipts.parameters(sent)))

    assert in_text == sent
    assert in_both == sent


@given(st.binary(max_size=200), st.dictionaries(st.sampled_from(Tag), st.binary(max_size=5)))
def test_any_receipt_is_read_or_passed_over(text: bytes, tlvs: dict[int, bytes]) -> None:
    read = receipts.parse(receipt(text, tlvs))

    assert read is None or read.message_id


@pytest.mark.parametrize("cut", [long_messages.parts, long_messages.sar_parts])
@given(
    text=st.text(min_size=1, max_size=900), reference=st.integers(0, 0xFFFF), random=st.randoms()
)
def test_a_long_text_arrives_as_it_was_sent(
    cut: Callable[..., Iterator[SubmitSm]], text: str, reference: int, random: object
) -> None:
    segments = segment(text)
    parts = list(cut(SubmitSm("1", "2"), segments, reference))
    random.shuffle(parts)
    reassembler = Reassembler()
    whole: tuple[bytes, ...] | None = None

    for part in parts:
        concatenation, octets = long_messages.read(part)
        assert (concatenation is None) == (len(parts) == 1)
        whole = reassembler.add(0, concatenation, octets, 0.0) if concatenation else (octets,)

    assert whole is not None
    assert data_coding.decode(b"".join(whole), parts[0].data_coding) == text
    assert all(len(part.short_message) <= 160 for part in parts)


@given(st.text(min_size=1, max_size=900))
def test_a_payload_carries_a_text_whole(text: str) -> None:
    pdu = long_messages.payload(SubmitSm("1", "2"), segment(text))

    assert data_coding.decode(pdu.user_data, pdu.data_coding) == text


def test_sar_parameters_tell_a_part() -> None:
    tlvs = {
        Tag.SAR_MSG_REF_NUM: b"\x01\x02",
        Tag.SAR_TOTAL_SEGMENTS: b"\x03",
        Tag.SAR_SEGMENT_SEQNUM: b"\x02",
    }

    assert long_messages.read(SubmitSm(short_message=b"x", tlvs=tlvs)) == (
        Concatenation(0x102, 3, 2),
        b"x",
    )
    assert long_messages.read(SubmitSm(tlvs={**tlvs, Tag.SAR_SEGMENT_SEQNUM: b"\x04"}))[0] is None


def test_a_payload_is_read_where_it_is() -> None:
    header = udh.encode(Concatenation(1, 2, 1))

    assert long_messages.read(SubmitSm(tlvs={Tag.MESSAGE_PAYLOAD: b"long"})) == (None, b"long")
    assert long_messages.read(
        SubmitSm(esm_class=0x40, tlvs={Tag.MESSAGE_PAYLOAD: header + b"x"})
    ) == (
        Concatenation(1, 2, 1),
        b"x",
    )


def test_a_broken_header_is_refused_by_its_class() -> None:
    with pytest.raises(FieldError):
        long_messages.read(SubmitSm(short_message=b"\x20", esm_class=0x40))
