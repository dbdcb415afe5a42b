"""One row of the ledger, as Python sees it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from heliograph.message_ids import day_of
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason


@dataclass(slots=True)
class Row:
    """One message to one recipient.

    `run` is the run's name below its application, `context` the caller's marks.
    `run_address_digest` is set while the message claims its address within the run.
    """

    application: str
    message_id: UUID
    batch_id: str
    run: str
    treatment: str
    endpoint_id: str
    user_id: str
    channel_type: int
    purpose: int
    address: str
    address_digest: UUID
    run_address_digest: UUID | None
    origination: str
    country: str
    parts: int
    state: Message.State.ValueType
    reason: Reason.ValueType
    detail: str
    provider_message_id: str
    context: dict[str, str] | None
    create_time: datetime
    sent_time: datetime | None
    update_time: datetime

    @property
    def day(self) -> date:
        """The ledger partition it lies in."""
        return day_of(self.message_id)


COLUMNS = tuple(Row.__dataclass_fields__)
SELECTED = ", ".join(COLUMNS)
"""The columns of a row, to be selected in this order."""


def of_record(record: Any) -> Row:
    """The row in an asyncpg record of the selected columns."""
    return Row(*(record[name] for name in COLUMNS))


def run_below(application: str, run: str) -> str:
    """A run's name as the ledger keeps it: without its application."""
    return run.removeprefix(f"applications/{application}/")


def run_name(application: str, run: str) -> str:
    """A run's full name, empty for a direct message."""
    return f"applications/{application}/{run}" if run else ""
