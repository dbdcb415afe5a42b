"""The codec against itself, against smpp34, and against octets that nobody meant."""

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st
from mesh.smpp import codec, tlv
from mesh.smpp.framing import Frame, Framer, FramingError
from mesh.smpp.pdu import Bare, Bind, BindResp, Command, DeliverSm, SubmitSm, SubmitSmResp
from mesh.smpp.status import Status
from mesh.smpp.tlv import FieldError

octet = st.integers(0, 255)
sequences = st.integers(1, 0x7FFFFFFF)
tlvs = st.dictionaries(st.integers(1, 0xFFFF), st.binary(max_size=40), max_size=5)


def words(size_max: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=size_max)


FIELDS = {
    "source_addr": words(20),
    "destination_addr": words(20),
    "short_message": st.binary(max_size=254),
    "data_coding": octet,
    "esm_class": octet,
    "registered_delivery": octet,
    "source_addr_ton": octet,
    "source_addr_npi": octet,
    "dest_addr_ton": octet,
    "dest_addr_npi": octet,
    "service_type": words(5),
    "protocol_id": octet,
    "priority_flag": octet,
    "schedule_delivery_time": st.sampled_from(["", "261121120000000+"]),
    "validity_period": st.sampled_from(["", "000001000000000R"]),
    "replace_if_present_flag": octet,
    "sm_default_msg_id": octet,
}
short_messages = st.sampled_from([SubmitSm, DeliverSm]).flatmap(
    lambda kind: st.builds(kind, **FIELDS, tlvs=tlvs)
)
binds = st.builds(
    Bind,
    words(15),
    words(8),
    words(12),
    octet,
    octet,
    octet,
    words(40),
    st.sampled_from([Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER]),
)
pdus = st.one_of(
    short_messages,
    binds,
    st.builds(BindResp, words(15), tlvs),
    st.builds(SubmitSmResp, words(64)),
    st.builds(Bare, st.sampled_from([Command.UNBIND, Command.ENQUIRE_LINK_RESP])),
)


@given(st.lists(st.tuples(pdus, sequences), max_size=5), st.integers(1, 50))
def test_what_is_encoded_comes_back_however_it_is_cut(sent: list, chunk: int) -> None:
    stream = b"".join(codec.encode(pdu, sequence) for pdu, sequence in sent)
    framer, frames = Framer(70_000), []

    for start in range(0, len(stream), chunk):
        frames += framer.feed(stream[start : start + chunk])

    received = [(codec.decode(frame.command, frame.body), frame.sequence) for frame in frames]
    assert received == sent


@given(short_messages, sequences)
def test_the_oracle_reads_what_we_write(pdu: SubmitSm | DeliverSm, sequence: int) -> None:
    read = smpp34.decode(codec.encode(pdu, sequence))

    assert read.sequence_number == sequence
    assert {name: getattr(read, name) for name in FIELDS} == {
        name: getattr(pdu, name) for name in FIELDS
    }
    assert {tlv.tag: tlv.value for tlv in read.tlvs} == pdu.tlvs


@given(short_messages, sequences)
def test_we_read_what_the_oracle_writes(pdu: SubmitSm | DeliverSm, sequence: int) -> None:
    oracle = getattr(smpp34, type(pdu).__name__)
    values = {name: getattr(pdu, name) for name in FIELDS}
    extra = [smpp34.Tlv(tag, value) for tag, value in pdu.tlvs.items()]

    [frame] = Framer(70_000).feed(oracle(**values, tlvs=extra, sequence_number=sequence).encode())

    assert codec.decode(frame.command, frame.body) == pdu
    assert frame.sequence == sequence


@given(st.sampled_from(list(Command)), st.binary(max_size=300))
def test_any_body_is_read_or_refused_with_a_status(command: Command, body: bytes) -> None:
    try:
        pdu = codec.decode(command, body)
    except FieldError:
        return
    assert codec.encode(pdu, 1)


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_stream_is_cut_or_given_up(chunks: list[bytes]) -> None:
    framer = Framer(1000)

    try:
        frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    except FramingError:
        return
    assert all(isinstance(frame, Frame) for frame in frames)


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
def test_a_length_out_of_bounds_ends_the_stream_after_the_good_frames(length: int) -> None:
    good = codec.encode_header(Command.ENQUIRE_LINK, 7)
    bad = length.to_bytes(4, "big") + b"\0\0\0\x15" + b"\0\0\0\0" + b"\0\0\0\x09"
    frames = Framer(70_000).feed(good + bad)

    first = next(frames)
    with pytest.raises(FramingError) as raised:
        next(frames)

    assert first.sequence == 7
    assert raised.value.sequence == 9


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("source_addr", "1" * 21, Status.ESME_RINVSRCADR),
        ("destination_addr", "1" * 21, Status.ESME_RINVDSTADR),
        ("destination_addr", "1\x002", Status.ESME_RINVDSTADR),
        ("source_addr", "漢", Status.ESME_RINVSRCADR),
        ("service_type", "123456", Status.ESME_RINVSERTYP),
        ("short_message", b"x" * 255, Status.ESME_RINVMSGLEN),
        ("validity_period", "1" * 17, Status.ESME_RINVEXPIRY),
        ("schedule_delivery_time", "1" * 17, Status.ESME_RINVSCHED),
        ("data_coding", 256, Status.ESME_RSYSERR),
        ("data_coding", -1, Status.ESME_RSYSERR),
    ],
)
def test_a_field_without_room_is_refused(field: str, value: object, status: Status) -> None:
    with pytest.raises(FieldError) as raised:
        codec.encode(SubmitSm(**{field: value}), 1)

    assert raised.value.status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", Status.ESME_RINVSERTYP),
        (b"123456\0", Status.ESME_RINVSERTYP),
        (b"\0\1", Status.ESME_RINVCMDLEN),
        (b"\0\1\1" + b"1" * 21, Status.ESME_RINVSRCADR),
        (b"\0\1\1\0\1\1" + b"1" * 21, Status.ESME_RINVDSTADR),
        (b"\0\1\1\0\1\1\0\0\0\0\0\0\1\0\0\0\x05abc", Status.ESME_RINVMSGLEN),
        (b"\0\1\1\0\1\1\0\0\0\0\0\0\1\0\0\0\x00\x04", Status.ESME_RINVOPTPARSTREAM),
        (b"\0\1\1\0\1\1\0\0\0\0\0\0\1\0\0\0\x00\x04\x24\0\x09x", Status.ESME_RINVPARLEN),
    ],
)
def test_a_broken_body_is_refused_with_its_status(body: bytes, status: Status) -> None:
    with pytest.raises(FieldError) as raised:
        codec.decode(Command.SUBMIT_SM, body)

    assert raised.value.status == status


def test_an_unknown_command_is_told_apart() -> None:
    with pytest.raises(FieldError) as raised:
        codec.decode(0x0103, b"")

    assert raised.value.status == Status.ESME_RINVCMDID


@given(tlvs)
def test_parameters_come_back(values: tlv.Tlvs) -> None:
    assert tlv.decode(tlv.encode(values)) == values
