"""What one number sent to one person, in the order in which it left."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from heliograph.messaging.v1.message_pb2 import Message

from messaging import addresses
from messaging.ledger.answered import RUN_TAKES
from messaging.ledger.rows import COLUMNS, Row, of_record

Position: TypeAlias = tuple[datetime, UUID]
"""Where a message stands: when it left, or entered the ledger if it has not; and its id."""

_TIME: Final = "coalesce(sent_time, create_time)"


@dataclass(frozen=True, slots=True)
class Thread:
    """Which messages are asked for, from where on, and in which direction."""

    origination: str
    address: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    oldest_first: bool = False
    beyond: Position | None = None


def position(row: Row) -> Position:
    """Where the message stands."""
    return row.sent_time or row.create_time, row.message_id


async def find(connection: Any, application: str, thread: Thread, limit: int) -> list[Row]:
    """The next messages of a thread. One whose number is not decided yet is of every thread."""
    values: list[Any] = [application, addresses.digest(thread.address), thread.origination]
    values += [Message.SKIPPED, Message.ACCEPTED]
    outer: list[str] = []
    days: list[str] = []

    def add(conditions: list[str], condition: str, *given: Any) -> None:
        first = len(values) + 1
        values.extend(given)
        places = [f"${first + index}" for index in range(len(given))]
        conditions.append(condition.format(*places))

    if thread.start_time is not None:
        add(outer, f"{_TIME} >= {{}}", thread.start_time)
        # Of the day its run began, and it may have left so much later.
        add(days, "AND day >= {}", (thread.start_time - RUN_TAKES).date())
    if thread.end_time is not None:
        add(outer, f"{_TIME} < {{}}", thread.end_time)
        add(days, "AND day <= {}", thread.end_time.date())
    if thread.beyond is not None:
        compared = ">" if thread.oldest_first else "<"
        add(outer, f"({_TIME}, message_id) {compared} ({{}}, {{}})", *thread.beyond)
    direction = "ASC" if thread.oldest_first else "DESC"
    values.append(limit)
    # Found by the address first, whatever the order: a person has few messages, a ledger many.
    statement = f"""
        SELECT {", ".join(COLUMNS)} FROM (
            SELECT * FROM messages
            WHERE application = $1 AND address_digest = $2 AND address <> '' {" ".join(days)}
            OFFSET 0
        ) AS written
        WHERE (origination = $3 OR origination = '' AND state = $5)
            AND NOT (state = $4 AND run <> '')
            {"".join(f" AND {condition}" for condition in outer)}
        ORDER BY {_TIME} {direction}, message_id {direction} LIMIT ${len(values)}
    """
    return [of_record(record) for record in await connection.fetch(statement, *values)]
