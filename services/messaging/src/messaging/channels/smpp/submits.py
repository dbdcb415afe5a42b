"""From a rendered text to the submit_sm that carry it. Pure."""

from heliograph.messaging.v1.channel_pb2 import SmppProvider
from mesh.smpp import SubmitSm, Tag, long_messages

from messaging.channels.outgoing import Outgoing, RenderedSms
from messaging.channels.smpp import addresses
from messaging.channels.smpp.configuration import Configuration

_DAY_SECONDS = 86_400
_VALIDITY_DAYS_MAX = 31


def make(configuration: Configuration, message: Outgoing) -> list[SubmitSm]:
    """The parts of a message. Only the last asks for a receipt, which speaks for the whole.

    Sent again, a message has the same reference, so that a phone which has it recognises its parts.
    """
    content = message.content
    if not isinstance(content, RenderedSms):
        raise TypeError(f"{type(content).__name__} cannot be sent as a text message")
    segments = content.segments
    only = len(segments.parts) == 1
    template = _template(configuration, message, content.time_to_live_seconds)
    if only:
        template.short_message = segments.parts[0]
        template.data_coding = segments.encoding.data_coding
        return [template]
    if configuration.long_messages == SmppProvider.MESSAGE_PAYLOAD:
        return [long_messages.payload(template, segments)]
    cut = (
        long_messages.sar_parts
        if configuration.long_messages == SmppProvider.SEGMENTATION_PARAMETERS
        else long_messages.parts
    )
    parts = list(cut(template, segments, message.reference))
    for part in parts[:-1]:
        part.registered_delivery = 0
    return parts


def validity_period(seconds: int) -> str:
    """The relative form of SMPP 3.4, 7.1.1.2; empty leaves it to the carrier."""
    if seconds <= 0:
        return ""
    days, rest = divmod(min(seconds, _VALIDITY_DAYS_MAX * _DAY_SECONDS), _DAY_SECONDS)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def _template(
    configuration: Configuration, message: Outgoing, time_to_live_seconds: int
) -> SubmitSm:
    source = addresses.origination(message.origination)
    destination = addresses.phone(message.address)
    return SubmitSm(
        source.value,
        destination.value,
        registered_delivery=configuration.registered_delivery,
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        validity_period=validity_period(time_to_live_seconds),
        tlvs={Tag.USER_MESSAGE_REFERENCE: message.reference.to_bytes(2, "big")},
    )
