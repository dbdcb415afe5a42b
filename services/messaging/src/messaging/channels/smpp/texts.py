"""Texts of people, and parts of long ones, as they come over SMPP. Pure."""

from datetime import datetime

from mesh.smpp import DeliverSm, FieldError, Status, long_messages
from mesh.sms import data_coding
from mesh.sms.wap_push import announces_mms

from messaging.channels.inbound import InboundPart, InboundText
from messaging.channels.smpp import addresses


def read(pdu: DeliverSm, now: datetime) -> InboundText | InboundPart:
    """The text, or the part of one. Raises FieldError for a broken header."""
    concatenation, octets = long_messages.read(pdu)
    source = addresses.read(pdu.source_addr, pdu.source_addr_ton)
    destination = addresses.read(pdu.destination_addr, pdu.dest_addr_ton)
    if concatenation is None or concatenation.total == 1:
        text = data_coding.decode(octets, pdu.data_coding)
        mms = announces_mms(octets, pdu.data_coding)
        return InboundText(source, destination, text, now, mms=mms)
    if not 1 <= concatenation.sequence <= concatenation.total:
        raise FieldError(Status.ESME_RINVESMCLASS, "a part outside its message")
    return InboundPart(
        source_address=source,
        destination_address=destination,
        reference=concatenation.reference,
        total=concatenation.total,
        sequence=concatenation.sequence,
        octets=octets,
        data_coding=pdu.data_coding,
        receive_time=now,
    )
