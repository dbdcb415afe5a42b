"""What this service does when a person is erased: texts and words go, a STOP stays in force.

That somebody does not want to be written to is kept for their sake and by law (GDPR article
17(3)(b); the record shows that it was obeyed): the number, the list and the times, and no words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from mesh.errors import Unavailable
from mesh.eventing import orders as ordering
from mesh.eventing.consumer import Consumer
from mesh.eventing.orders import Kept, Orders
from mesh.eventing.progress import Progress
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from nats.js import JetStreamContext
from sqlalchemy import text

from twoway.exports.erasing import ExportedLists

LATE: Final = timedelta(seconds=ordering.SETTLE_SECONDS)
BUS_KEEPS: Final = timedelta(days=7)
_THEIRS: Final = "application = :application AND {column} = ANY(CAST(:addresses AS text[]))"
_ON_A_LIST: Final = """EXISTS (
    SELECT FROM opted_out_numbers o
    WHERE o.application = :application AND o.phone_number = {column}
)"""
_ANSWERING: Final = text(
    "SELECT EXISTS (SELECT FROM reply_sets WHERE state = 'PENDING'"
    " AND application = :application AND addresses && CAST(:addresses AS text[]))"
)
_KEPT: Final = text(
    "SELECT (SELECT count(*) FROM opted_out_numbers WHERE "
    + _THEIRS.format(column="phone_number")
    + "), (SELECT count(*) FROM consent_changes WHERE "
    + _THEIRS.format(column="phone_number")
    + "), (SELECT count(*) FROM inbound_messages WHERE receive_time <= :until AND "
    + _THEIRS.format(column="source_address")
    + ")"
)

# Which of them said STOP last stays known, so that an older START that comes late changes nothing.
_TEXTS: Final = f"""
DELETE FROM inbound_messages WHERE {_THEIRS.format(column="source_address")}
    AND receive_time <= :until
    AND NOT (intent IN ('OPT_OUT', 'OPT_IN') AND {_ON_A_LIST.format(column="source_address")})
"""
_CONSENT_TEXTS: Final = f"""
UPDATE inbound_messages SET text = '', reply = '', reply_text = '', flagged = false
WHERE {_THEIRS.format(column="source_address")} AND receive_time <= :until
    AND (text <> '' OR reply <> '' OR reply_text <> '' OR flagged)
"""
_CONVERSATIONS: Final = f"""
DELETE FROM conversations WHERE {_THEIRS.format(column="source_address")}
    AND last_message_time <= :until
"""
# Somebody who came again since has a conversation, of which nothing of before is known.
_CONTINUED: Final = f"""
UPDATE conversations SET assignee = '', labels = '{{}}', create_time = last_message_time
WHERE {_THEIRS.format(column="source_address")} AND create_time <= :until
"""
_HAND_REPLIES: Final = f"""
DELETE FROM hand_replies WHERE {_THEIRS.format(column="source_address")}
    AND create_time <= :until
"""
_ANSWERS: Final = f"""
DELETE FROM message_answers WHERE {_THEIRS.format(column="source_address")}
    AND receive_time <= :until
"""
_RECORD: Final = f"""
DELETE FROM consent_changes WHERE {_THEIRS.format(column="phone_number")}
    AND change_time <= :until AND NOT {_ON_A_LIST.format(column="consent_changes.phone_number")}
"""
_RECORD_WORDS: Final = f"""
UPDATE consent_changes SET text = '', comment = '', requested_text = '', question_text = ''
WHERE {_THEIRS.format(column="phone_number")}
    AND (text <> '' OR comment <> '' OR requested_text <> '' OR question_text <> '')
"""
_LIST_WORDS: Final = f"""
UPDATE opted_out_numbers SET text = '', comment = ''
WHERE {_THEIRS.format(column="phone_number")} AND (text <> '' OR comment <> '')
"""
_COUNTS: Final = f"""
DELETE FROM reply_counts WHERE {_THEIRS.format(column="source_address")}
    AND begin_time <= :until
"""
_QUESTIONS: Final = f"""
DELETE FROM opt_in_questions WHERE {_THEIRS.format(column="source_address")}
    AND ask_time <= :until
"""
_REPLIES: Final = """
UPDATE reply_sets SET addresses = ARRAY(
    SELECT one FROM unnest(addresses) AS one WHERE one <> ALL(CAST(:addresses AS text[])))
WHERE application = :application AND state = 'REFUSED'
    AND addresses && CAST(:addresses AS text[])
"""
_POSTS: Final = f"""
DELETE FROM webhook_posts WHERE {_THEIRS.format(column="source_address")}
    AND create_time <= :until
"""
_STATEMENTS: Final = (
    ("webhook_posts", _POSTS),
    ("inbound_messages", _TEXTS),
    ("inbound_messages", _CONSENT_TEXTS),
    ("conversations", _CONVERSATIONS),
    ("conversations", _CONTINUED),
    ("hand_replies", _HAND_REPLIES),
    ("message_answers", _ANSWERS),
    ("consent_changes", _RECORD),
    ("consent_changes", _RECORD_WORDS),
    ("opted_out_numbers", _LIST_WORDS),
    ("opt_in_questions", _QUESTIONS),
    ("reply_counts", _COUNTS),
    ("reply_sets", _REPLIES),
)


@dataclass(frozen=True)
class PersonErasing:
    """Carries out one order."""

    sessions: Sessions
    progress: Progress
    exported: ExportedLists

    async def wait(self, order: OrderRow) -> int:
        """Until what the person wrote before has been taken in and answered."""
        await self.progress.reached(order.operation)
        async with self.sessions() as session:
            connection = await session.connection()
            answering = await connection.execute(
                _ANSWERING, {"application": order.application, "addresses": _addresses(order)}
            )
            if answering.scalar_one():
                raise Unavailable("REPLY_UNDER_WAY", "an answer to the person is under way")
        return 0

    async def erase(self, order: OrderRow) -> int:
        """What the person wrote, and every word kept with a wish that stays."""
        values: dict[str, Any] = {"addresses": _addresses(order), "until": order.hear_time + LATE}
        found = 0
        for table, statement in _STATEMENTS:
            wanted = {name: one for name, one in values.items() if f":{name}" in statement}
            found += await orders.erase(self.sessions, order, table, statement, wanted)
        return found

    async def keeping(self, order: OrderRow) -> Sequence[Kept]:
        """What stays, and why."""
        self.progress.forget(order.operation)
        values = {
            "application": order.application,
            "addresses": _addresses(order),
            "until": order.hear_time + LATE,
        }
        async with self.sessions() as session:
            row = (await (await session.connection()).execute(_KEPT, values)).one()
        why = "the person said STOP: it protects them, and shows that it is obeyed; without words"
        tables = ("opted_out_numbers", "consent_changes", "inbound_messages")
        kept = [Kept(table, why, rows) for table, rows in zip(tables, row, strict=True) if rows]
        kept += await self.exported.keeping(order)
        bus = "the bus keeps what was announced, of many people in one message, until its age"
        until = order.hear_time + BUS_KEEPS
        streams = (subjects.INBOUND, subjects.TWOWAY)
        return [*kept, *(Kept(f"stream {one.name}", bus, until=until) for one in streams)]


def orders_of(
    sessions: Sessions,
    js: JetStreamContext,
    inbound_durable: str,
    exported: ExportedLists,
    settle_seconds: float = ordering.SETTLE_SECONDS,
) -> Orders:
    """The orders of this service; texts come in by that consumer."""
    progress = Progress(js, [(subjects.INBOUND.name, inbound_durable)])
    erasing = PersonErasing(sessions, progress, exported)
    answer = ordering.reporting(js, "twoway", ErasureReport)
    steps = [erasing.wait, erasing.erase, exported.erase]
    return Orders(sessions, steps, erasing.keeping, answer, settle_seconds=settle_seconds)


def consumer(js: JetStreamContext, taking: Orders) -> Consumer:
    """Hears of people whom audience erases."""
    handle = taking.hearing(UserErased)
    return ordering.consumer(js, subjects.AUDIENCE.name, "twoway", UserErased, handle)


def _addresses(order: OrderRow) -> list[str]:
    return list(UserErased.FromString(order.subject).addresses)
