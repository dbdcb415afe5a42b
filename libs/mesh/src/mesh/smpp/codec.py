"""Structures to octets and back (SMPP 3.4, section 4)."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from mesh.smpp import tlv
from mesh.smpp.fields import Reader, c_octets
from mesh.smpp.framing import HEADER
from mesh.smpp.pdu import (
    Bare,
    Bind,
    BindResp,
    Command,
    DeliverSm,
    DeliverSmResp,
    Pdu,
    ShortMessage,
    SubmitSm,
    SubmitSmResp,
)
from mesh.smpp.status import Status
from mesh.smpp.tlv import FieldError

SHORT_MESSAGE_OCTETS_MAX: Final = 254
_PASSWORD_OCTETS_MAX: Final = 65
"""The standard has 9, but carriers give out longer ones; what we are given we can say."""

_SHORT_MESSAGE: Final = b"%b\0%c%c%b\0%c%c%b\0%c%c%c%b\0%b\0%c%c%c%c%c%b%b"
_BIND: Final = b"%b\0%b\0%b\0%c%c%c%b\0"


def encode(pdu: Pdu, sequence: int, status: int = 0) -> bytes:
    """Returns a whole PDU; raises FieldError for what the standard has no room for."""
    try:
        body = _ENCODERS[type(pdu)](pdu)
    except OverflowError:
        raise FieldError(Status.ESME_RSYSERR, "an integer exceeds one octet") from None
    return HEADER.pack(HEADER.size + len(body), pdu.command, status, sequence) + body


def encode_header(command: int, sequence: int, status: int = 0) -> bytes:
    """Returns a PDU without a body, as a refusing response is."""
    return HEADER.pack(HEADER.size, command, status, sequence)


def decode(command: int, body: bytes) -> Pdu:
    """Returns the structure of a body; raises FieldError if it breaks the standard.

    An unknown command is an FieldError too, with ESME_RINVCMDID.
    """
    decoder = _DECODERS.get(command)
    if decoder is None:
        raise FieldError(Status.ESME_RINVCMDID, f"command 0x{command:08X} is not known")
    return decoder(body)


def _encode_bind(pdu: Bind) -> bytes:
    return _BIND % (
        c_octets(pdu.system_id, 16, Status.ESME_RINVSYSID),
        c_octets(pdu.password, _PASSWORD_OCTETS_MAX, Status.ESME_RINVPASWD),
        c_octets(pdu.system_type, 13, Status.ESME_RINVSYSTYP),
        pdu.interface_version,
        pdu.addr_ton,
        pdu.addr_npi,
        c_octets(pdu.address_range, 41, Status.ESME_RBINDFAIL),
    )


def _decode_bind(command: Command, body: bytes) -> Bind:
    read = Reader(body)
    system_id = read.text(16, Status.ESME_RINVSYSID)
    password = read.text(9, Status.ESME_RINVPASWD)
    system_type = read.text(13, Status.ESME_RINVSYSTYP)
    version, ton, npi = read.octets(3)
    address_range = read.text(41, Status.ESME_RBINDFAIL)
    return Bind(system_id, password, system_type, version, ton, npi, address_range, command)


def _encode_bind_resp(pdu: BindResp) -> bytes:
    return c_octets(pdu.system_id, 16, Status.ESME_RINVSYSID) + b"\0" + tlv.encode(pdu.tlvs)


def _decode_bind_resp(command: Command, body: bytes) -> BindResp:
    """A refusal has no body; some carriers leave the NUL away as well."""
    if not body:
        return BindResp(command=command)
    read = Reader(body)
    return BindResp(read.text(16, Status.ESME_RINVSYSID), read.tlvs(), command)


def _encode_short_message(pdu: ShortMessage) -> bytes:
    content = pdu.short_message
    if len(content) > SHORT_MESSAGE_OCTETS_MAX:
        raise FieldError(Status.ESME_RINVMSGLEN, f"short_message has {len(content)} octets")
    return _SHORT_MESSAGE % (
        c_octets(pdu.service_type, 6, Status.ESME_RINVSERTYP),
        pdu.source_addr_ton,
        pdu.source_addr_npi,
        c_octets(pdu.source_addr, 21, Status.ESME_RINVSRCADR),
        pdu.dest_addr_ton,
        pdu.dest_addr_npi,
        c_octets(pdu.destination_addr, 21, Status.ESME_RINVDSTADR),
        pdu.esm_class,
        pdu.protocol_id,
        pdu.priority_flag,
        c_octets(pdu.schedule_delivery_time, 17, Status.ESME_RINVSCHED),
        c_octets(pdu.validity_period, 17, Status.ESME_RINVEXPIRY),
        pdu.registered_delivery,
        pdu.replace_if_present_flag,
        pdu.data_coding,
        pdu.sm_default_msg_id,
        len(content),
        content,
        tlv.encode(pdu.tlvs) if pdu.tlvs else b"",
    )


def _decode_short_message(
    kind: type[SubmitSm] | type[DeliverSm], body: bytes
) -> SubmitSm | DeliverSm:
    read = Reader(body)
    service_type = read.text(6, Status.ESME_RINVSERTYP)
    source_ton, source_npi = read.octets(2)
    source = read.text(21, Status.ESME_RINVSRCADR)
    dest_ton, dest_npi = read.octets(2)
    destination = read.text(21, Status.ESME_RINVDSTADR)
    esm_class, protocol_id, priority = read.octets(3)
    schedule = read.text(17, Status.ESME_RINVSCHED)
    validity = read.text(17, Status.ESME_RINVEXPIRY)
    registered, replace, coding, default_id, length = read.octets(5)
    content = read.octets(length, Status.ESME_RINVMSGLEN)
    return kind(
        source, destination, content, coding, esm_class, registered,
        source_ton, source_npi, dest_ton, dest_npi,
        service_type, protocol_id, priority, schedule, validity, replace, default_id,
        read.tlvs(),
    )  # fmt: skip


def _encode_message_id(pdu: SubmitSmResp | DeliverSmResp) -> bytes:
    return c_octets(pdu.message_id, 65, Status.ESME_RINVMSGID) + b"\0"


def _decode_message_id(
    kind: type[SubmitSmResp] | type[DeliverSmResp], body: bytes
) -> SubmitSmResp | DeliverSmResp:
    """Never refuses: a response is not answered, and its status has said what matters."""
    return kind(tlv.text(body))


def _encode_bare(_: Bare) -> bytes:
    return b""


def _decode_bare(command: Command, _: bytes) -> Bare:
    return Bare(command)


_ENCODERS: Final[dict[type, Callable[[Any], bytes]]] = {
    Bind: _encode_bind,
    BindResp: _encode_bind_resp,
    SubmitSm: _encode_short_message,
    DeliverSm: _encode_short_message,
    SubmitSmResp: _encode_message_id,
    DeliverSmResp: _encode_message_id,
    Bare: _encode_bare,
}
_DECODERS: Final[dict[int, Callable[[bytes], Pdu]]] = {
    Command.BIND_RECEIVER: partial(_decode_bind, Command.BIND_RECEIVER),
    Command.BIND_TRANSMITTER: partial(_decode_bind, Command.BIND_TRANSMITTER),
    Command.BIND_TRANSCEIVER: partial(_decode_bind, Command.BIND_TRANSCEIVER),
    Command.BIND_RECEIVER_RESP: partial(_decode_bind_resp, Command.BIND_RECEIVER_RESP),
    Command.BIND_TRANSMITTER_RESP: partial(_decode_bind_resp, Command.BIND_TRANSMITTER_RESP),
    Command.BIND_TRANSCEIVER_RESP: partial(_decode_bind_resp, Command.BIND_TRANSCEIVER_RESP),
    Command.SUBMIT_SM: partial(_decode_short_message, SubmitSm),
    Command.DELIVER_SM: partial(_decode_short_message, DeliverSm),
    Command.SUBMIT_SM_RESP: partial(_decode_message_id, SubmitSmResp),
    Command.DELIVER_SM_RESP: partial(_decode_message_id, DeliverSmResp),
    Command.UNBIND: partial(_decode_bare, Command.UNBIND),
    Command.UNBIND_RESP: partial(_decode_bare, Command.UNBIND_RESP),
    Command.ENQUIRE_LINK: partial(_decode_bare, Command.ENQUIRE_LINK),
    Command.ENQUIRE_LINK_RESP: partial(_decode_bare, Command.ENQUIRE_LINK_RESP),
    Command.GENERIC_NACK: partial(_decode_bare, Command.GENERIC_NACK),
}
