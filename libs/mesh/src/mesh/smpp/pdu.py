"""The protocol data units of SMPP 3.4 that are spoken here, as plain structures."""

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import ClassVar

from mesh.smpp.tlv import Tag, Tlvs

RESPONSE_BIT = 0x80000000


class Command(IntEnum):
    """command_id of each request; a response has RESPONSE_BIT on top."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = 0x80000000
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER_RESP = 0x80000002
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM_RESP = 0x80000005
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK_RESP = 0x80000015


class EsmClass(IntFlag):
    """What a short message is (SMPP 3.4, 5.2.12)."""

    RECEIPT = 0x04
    INTERMEDIATE = 0x20
    UDHI = 0x40
    MESSAGE_TYPE = 0x3C


class Ton(IntEnum):
    """Type of number (SMPP 3.4, 5.2.5)."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    ALPHANUMERIC = 5
    ABBREVIATED = 6


@dataclass(slots=True)
class Bind:
    """bind_receiver, bind_transmitter and bind_transceiver, which differ by `command` only."""

    system_id: str
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    command: Command = Command.BIND_TRANSCEIVER


@dataclass(slots=True)
class BindResp:
    """The answer to a bind; `system_id` is the carrier's."""

    system_id: str = ""
    tlvs: Tlvs = field(default_factory=dict)
    command: Command = Command.BIND_TRANSCEIVER_RESP


@dataclass(slots=True)
class ShortMessage:
    """What submit_sm and deliver_sm share. Send short_message or message_payload, never both."""

    source_addr: str = ""
    destination_addr: str = ""
    short_message: bytes = b""
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    source_addr_ton: int = Ton.INTERNATIONAL
    source_addr_npi: int = 1
    dest_addr_ton: int = Ton.INTERNATIONAL
    dest_addr_npi: int = 1
    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    replace_if_present_flag: int = 0
    sm_default_msg_id: int = 0
    tlvs: Tlvs = field(default_factory=dict)

    @property
    def user_data(self) -> bytes:
        """The content, wherever it travelled."""
        return self.short_message or self.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")


@dataclass(slots=True)
class SubmitSm(ShortMessage):
    """A message for a phone."""

    command: ClassVar[Command] = Command.SUBMIT_SM


@dataclass(slots=True)
class DeliverSm(ShortMessage):
    """A message from a phone, or a receipt."""

    command: ClassVar[Command] = Command.DELIVER_SM


@dataclass(slots=True)
class SubmitSmResp:
    """`message_id` is the carrier's name of the message; empty when it was refused."""

    message_id: str = ""
    command: ClassVar[Command] = Command.SUBMIT_SM_RESP


@dataclass(slots=True)
class DeliverSmResp:
    """The acknowledgement of what came from the carrier; the standard leaves its id unused."""

    message_id: str = ""
    command: ClassVar[Command] = Command.DELIVER_SM_RESP


@dataclass(slots=True)
class Bare:
    """enquire_link, unbind, their responses and generic_nack: a header, no body."""

    command: Command


Pdu = Bind | BindResp | SubmitSm | DeliverSm | SubmitSmResp | DeliverSmResp | Bare
