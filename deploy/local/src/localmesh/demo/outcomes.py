"""What the ledger says of a run, held against what the carriers wrote down. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import UNDELIVERABLE, Reason

UNDER_WAY = {Message.ACCEPTED, Message.HANDING, Message.UNKNOWN}


@dataclass
class Outcome:
    """A run in numbers: members = sent + skipped by reason, unless something is wrong."""

    members: int = 0
    sent: int = 0
    delivered: int = 0
    undeliverable: int = 0
    under_way: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    sent_by_treatment: Counter[str] = field(default_factory=Counter)


def outcome(run: Run) -> Outcome:
    """Sort a run's counts. Whatever a provider has taken counts as sent, delivered or not."""
    found = Outcome()
    for row in run.counts:
        found.members += row.count
        undeliverable = row.state == Message.FAILED and row.reason == UNDELIVERABLE
        if row.state in UNDER_WAY:
            found.under_way += row.count
        elif row.state in (Message.SENT, Message.DELIVERED) or undeliverable:
            found.sent += row.count
            found.delivered += row.count * (row.state == Message.DELIVERED)
            found.undeliverable += row.count * undeliverable
            found.sent_by_treatment[row.treatment] += row.count
        else:
            found.skipped[Reason.Name(row.reason)] += row.count
    return found


def copies(addresses: Iterable[str]) -> Mapping[str, int]:
    """Addresses that got a message more than once, and how often."""
    return {address: count for address, count in Counter(addresses).items() if count > 1}


def after_stop(
    entries: Iterable[Mapping[str, str]], confirmation: str, welcome: str, help_text: str
) -> list[str]:
    """Phones that got anything but help after their STOP was confirmed, in the log's order.

    `entries` are the carrier's messages in the order it accepted them; the texts are those with
    which an opt-out and an opt-in are confirmed, and HELP answered.
    """
    stopped: set[str] = set()
    offended = []
    for entry in entries:
        phone, text = entry["destination"], entry["text"]
        if text == confirmation:
            if phone in stopped:
                offended.append(phone)
            stopped.add(phone)
        elif text == welcome:
            stopped.discard(phone)
        elif phone in stopped and text != help_text:
            offended.append(phone)
    return offended
