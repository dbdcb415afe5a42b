"""Receipts for messages, in the forms and with the delays that the carrier is told to use."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from mesh.smpp import DeliverSm, EsmClass, MessageState, Receipt, SubmitSm, Tag, receipts

from localmesh.peers.carrier.behaviour import Receipts
from localmesh.peers.carrier.chance import Chance

_ALWAYS, _ON_FAILURE, _ON_SUCCESS = 1, 2, 3
_REGISTERED = 0x03


@dataclass(frozen=True, slots=True)
class Report:
    """What is told about one message id; a copy is the same told again."""

    message_id: str
    submit: SubmitSm
    state: MessageState
    error: str
    submit_time: float
    is_copy: bool = False


def is_wanted(submit: SubmitSm, state: MessageState) -> bool:
    """Whether the sender asked for a receipt of this end (registered_delivery, 5.2.17)."""
    registered = submit.registered_delivery & _REGISTERED
    if registered == _ALWAYS:
        return True
    return registered == (_ON_SUCCESS if state is MessageState.DELIVERED else _ON_FAILURE)


def deliver_sm(report: Report, form: Receipts, now: float) -> DeliverSm:
    """Returns the receipt as it goes to the sender: from the phone, to whom the text was from."""
    submit = report.submit
    receipt = Receipt(
        report.message_id,
        report.state,
        report.error,
        delivered=int(report.state is MessageState.DELIVERED),
        submit_date=_date(report.submit_time),
        done_date=_date(now),
        text=submit.short_message[:20].decode("ascii", "replace").replace("\n", " "),
        user_message_reference=_reference(submit),
    )
    return DeliverSm(
        submit.destination_addr,
        submit.source_addr,
        receipts.render(receipt) if form.text else b"",
        esm_class=EsmClass.RECEIPT,
        source_addr_ton=submit.dest_addr_ton,
        source_addr_npi=submit.dest_addr_npi,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        tlvs=receipts.parameters(receipt) if form.parameters else {},
    )


def delays_seconds(form: Receipts, chance: Chance) -> Iterator[float]:
    """Yields how long each telling of one report waits; nothing if it is never told."""
    if not chance.happens(form.share):
        return
    for _ in range(2 if chance.happens(form.twice_share) else 1):
        late_seconds = form.late_seconds if chance.happens(form.late_share) else 0.0
        yield chance.between(form.delay_seconds_min, form.delay_seconds_max) + late_seconds


def _reference(submit: SubmitSm) -> int | None:
    value = submit.tlvs.get(Tag.USER_MESSAGE_REFERENCE)
    return int.from_bytes(value, "big") & 0xFFFF if value else None


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%y%m%d%H%M")
