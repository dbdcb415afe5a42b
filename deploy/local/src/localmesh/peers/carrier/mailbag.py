"""What goes to the other side, and the journal's word when it has arrived."""

from collections.abc import Sequence

from localmesh.peers.carrier.postbox import Item, Postbox
from localmesh.peers.carrier.reports import Report
from localmesh.peers.carrier.saying import Saying
from localmesh.peers.journal import Journal


class Mailbag:
    """Receipts and inbound texts; each is written down when its acknowledgement has come."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.postbox: Postbox = Postbox(self._acknowledged, self._refused)

    def _acknowledged(self, items: Sequence[Item]) -> None:
        receipts = [
            _receipt(item.about, item.attempts) for item in items if isinstance(item.about, Report)
        ]
        if receipts:
            self._journal.extend("receipt", receipts)
        for item in items:
            if isinstance(item.about, Saying):
                self._hear(item.about, item.attempts)

    def _hear(self, saying: Saying, attempts: int) -> None:
        """A text counts as arrived with its last part."""
        saying.open -= 1
        if saying.open == 0:
            self._journal.append("inbound", **_inbound(saying), attempts=attempts)

    def _refused(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item.about, Report):
                self._journal.append("receipt_refused", **_receipt(item.about, item.attempts))
            else:
                self._journal.append("inbound_refused", **_inbound(item.about))


def _receipt(report: Report, attempts: int) -> dict[str, object]:
    return {
        "message_id": report.message_id,
        "destination": report.submit.destination_addr,
        "state": report.state.name,
        "is_copy": report.is_copy,
        "attempts": attempts,
    }


def _inbound(saying: Saying) -> dict[str, object]:
    return {
        "source": saying.source,
        "destination": saying.destination,
        "text": saying.text,
        "parts": saying.parts,
        "said_time": saying.said_time,
    }
