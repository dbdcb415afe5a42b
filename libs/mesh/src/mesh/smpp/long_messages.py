"""Long messages on the wire: a header in the text, sar parameters, or one message_payload."""

from collections.abc import Iterator
from dataclasses import replace

from mesh.smpp.pdu import EsmClass, ShortMessage, SubmitSm
from mesh.smpp.status import Status
from mesh.smpp.tlv import FieldError, Tag, Tlvs
from mesh.sms import Concatenation, Segments, udh


def parts(template: SubmitSm, segments: Segments, reference: int) -> Iterator[SubmitSm]:
    """Yields one submit_sm a part, each like `template` but for its text.

    `reference` ties the parts together at the phone; only its low 8 bits travel, as the parts
    are cut for the short header.
    """
    coding, total = segments.encoding.data_coding, len(segments.parts)
    if total == 1:
        yield replace(template, short_message=segments.parts[0], data_coding=coding)
        return
    for sequence, octets in enumerate(segments.parts, start=1):
        yield replace(
            template,
            short_message=udh.encode(Concatenation(reference, total, sequence)) + octets,
            data_coding=coding,
            esm_class=template.esm_class | EsmClass.UDHI,
        )


def sar_parts(template: SubmitSm, segments: Segments, reference: int) -> Iterator[SubmitSm]:
    """Yields the same parts tied by sar parameters (SMPP 3.4, 5.3.2.22); 16 bits travel."""
    coding, total = segments.encoding.data_coding, len(segments.parts)
    for sequence, octets in enumerate(segments.parts, start=1):
        sar: Tlvs = {
            Tag.SAR_MSG_REF_NUM: reference.to_bytes(2, "big"),
            Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
            Tag.SAR_SEGMENT_SEQNUM: bytes((sequence,)),
        }
        tlvs = template.tlvs | sar if total > 1 else template.tlvs
        yield replace(template, short_message=octets, data_coding=coding, tlvs=tlvs)


def payload(template: SubmitSm, segments: Segments) -> SubmitSm:
    """Returns the whole text as one submit_sm with a message_payload; the carrier cuts it."""
    whole: Tlvs = {Tag.MESSAGE_PAYLOAD: b"".join(segments.parts)}
    coding = segments.encoding.data_coding
    return replace(template, data_coding=coding, tlvs=template.tlvs | whole)


def read(pdu: ShortMessage) -> tuple[Concatenation | None, bytes]:
    """Returns which part of a longer message this is, if it is one, and the content.

    Raises FieldError for a broken user data header.
    """
    if not pdu.esm_class & EsmClass.UDHI:
        return _sar(pdu.tlvs), pdu.user_data
    try:
        return udh.split(pdu.user_data)
    except ValueError as error:
        raise FieldError(Status.ESME_RINVESMCLASS, str(error)) from None


def _sar(tlvs: Tlvs) -> Concatenation | None:
    """The sar parameters count only together, and only if they make sense (SMPP 3.4, 5.3.2.22)."""
    reference, total, sequence = (
        int.from_bytes(tlvs.get(tag, b""), "big")
        for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    valid = Tag.SAR_MSG_REF_NUM in tlvs and 1 <= sequence <= total <= 255
    return Concatenation(reference & 0xFFFF, total, sequence) if valid else None
