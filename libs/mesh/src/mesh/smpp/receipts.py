"""Delivery receipts: what became of a message, from parameters or from text (SMPP 3.4, app. B)."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from mesh.smpp import tlv
from mesh.smpp.pdu import EsmClass, ShortMessage
from mesh.smpp.tlv import Tag, Tlvs
from mesh.sms.data_coding import DataCoding


class MessageState(IntEnum):
    """message_state (SMPP 3.4, 5.2.28; SCHEDULED and SKIPPED came with 5.0)."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


_WORDS: Final = {
    MessageState.SCHEDULED: "SCHEDUL",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}
_STATES: Final = {word: state for state, word in _WORDS.items()}
_BY_NUMBER: Final = {int(state): state for state in MessageState}
_RECEIPT_BITS: Final = int(EsmClass.RECEIPT | EsmClass.INTERMEDIATE)

_FIELD: Final = re.compile(
    r"\b(id|sub|dlvrd|submit date|done date|stat|err):[ ]*([^\s:]*)(?=\s|$)", re.IGNORECASE
)
_MESSAGE_TEXT: Final = re.compile(r"\btext:[ ]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a carrier tells about a message it accepted as `message_id`.

    Dates are as written, `YYMMDDhhmm` or with seconds, in a zone that only the carrier knows.
    """

    message_id: str
    state: MessageState
    error: str = "000"
    submitted: int = 1
    delivered: int = 0
    submit_date: str = ""
    done_date: str = ""
    text: str = ""
    user_message_reference: int | None = None


def is_receipt(pdu: ShortMessage) -> bool:
    """Tells receipts, also intermediate ones, from messages of phones."""
    return bool(pdu.esm_class & _RECEIPT_BITS)


def parse(pdu: ShortMessage) -> Receipt | None:
    """Reads a receipt: parameters first, since the text differs from carrier to carrier.

    None if neither tells a message id and a state.
    """
    written = _written(pdu)
    message_id = tlv.text(pdu.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"")) or written.get("id", "")
    state = _state(pdu.tlvs, written.get("stat", ""))
    if not message_id or state is None:
        return None
    return Receipt(
        message_id=message_id,
        state=state,
        error=written.get("err") or _network_error(pdu.tlvs) or "000",
        submitted=_count(written.get("sub", ""), 1),
        delivered=_count(written.get("dlvrd", ""), int(state is MessageState.DELIVERED)),
        submit_date=written.get("submit date", ""),
        done_date=written.get("done date", ""),
        text=written.get("text", ""),
        user_message_reference=_reference(pdu.tlvs),
    )


def render(receipt: Receipt) -> bytes:
    """Returns the text of a receipt in the form of appendix B, as ASCII."""
    text = (
        f"id:{receipt.message_id} sub:{receipt.submitted:03d} dlvrd:{receipt.delivered:03d} "
        f"submit date:{receipt.submit_date} done date:{receipt.done_date} "
        f"stat:{_WORDS[receipt.state]} err:{receipt.error} text:{receipt.text[:20]}"
    )
    return text.encode("ascii", "replace")


def parameters(receipt: Receipt) -> Tlvs:
    """Returns the optional parameters that say the same."""
    tlvs: Tlvs = {
        Tag.RECEIPTED_MESSAGE_ID: tlv.octets(receipt.message_id),
        Tag.MESSAGE_STATE: bytes((receipt.state,)),
    }
    if receipt.user_message_reference is not None:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = receipt.user_message_reference.to_bytes(2, "big")
    return tlvs


def _written(pdu: ShortMessage) -> dict[str, str]:
    """The fields of the text form. It is ASCII by custom, also where data_coding says GSM-7."""
    coding = "utf-16-be" if pdu.data_coding == DataCoding.UCS2 else "latin-1"
    fields, *text = _MESSAGE_TEXT.split(pdu.user_data.decode(coding, "replace"), maxsplit=1)
    return {name.lower(): value for name, value in _FIELD.findall(fields)} | {"text": "".join(text)}


def _count(digits: str, otherwise: int) -> int:
    return int(digits) if digits.isdecimal() and len(digits) <= 9 else otherwise


def _state(tlvs: Tlvs, word: str) -> MessageState | None:
    value = tlvs.get(Tag.MESSAGE_STATE, b"")
    if len(value) == 1 and value[0] in _BY_NUMBER:
        return _BY_NUMBER[value[0]]
    return _STATES.get(word.upper()[:7])


def _network_error(tlvs: Tlvs) -> str:
    """network_error_code is a network's type and its 16-bit code (SMPP 3.4, 5.3.2.31)."""
    value = tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    return f"{int.from_bytes(value[1:3], 'big'):03d}" if len(value) == 3 else ""


def _reference(tlvs: Tlvs) -> int | None:
    value = tlvs.get(Tag.USER_MESSAGE_REFERENCE)
    return int.from_bytes(value, "big") if value and len(value) <= 2 else None
