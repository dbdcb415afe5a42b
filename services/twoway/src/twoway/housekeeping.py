"""What is deleted when it is old: texts that changed nothing, refused answers, request ids, and
questions that nobody answered.

Opt-outs, the record of consent and the texts behind them are not deleted for their age: they are
the proof. The bus keeps a text for a week, so one that is forgotten after two cannot be taken for a
new one.
"""

from datetime import timedelta

from mesh.aip import operations, request_ids
from mesh.store import orders
from mesh.store.purging import Purge

from twoway.inbound import loop_guard
from twoway.settings import Settings
from twoway.tables import PASSING

POSTS_LIVE = timedelta(days=14)
"""Texts that nobody took over can be looked at for so long; longer than any is tried."""


def purges(settings: Settings) -> list[Purge]:
    """All of them; the order does not matter."""
    inbound = timedelta(days=settings.inbound_retention_days)
    requests = timedelta(days=settings.request_id_retention_days)
    return [
        Purge("inbound_messages", f"{PASSING} AND receive_time < :before", inbound),
        Purge("conversations", "last_message_time < :before", inbound),
        Purge("hand_replies", "create_time < :before", inbound),
        Purge("message_answers", "receive_time < :before", inbound),
        Purge("reply_sets", "state = 'REFUSED' AND create_time < :before", inbound),
        Purge("reply_counts", "begin_time < :before", loop_guard.WINDOW),
        Purge("opt_in_questions", "expire_time < :before", timedelta(0)),
        Purge("webhook_posts", "create_time < :before", POSTS_LIVE),
        Purge("webhook_destinations", "lease_expire_time < :before", POSTS_LIVE),
        Purge("opted_out_import_refusals", "create_time < :before", requests),
        request_ids.aged(requests),
        operations.finished(requests),
        orders.aged(),
    ]
