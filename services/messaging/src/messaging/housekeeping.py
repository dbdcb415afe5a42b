"""What is deleted when it is old: request ids, keys of texts, cancelled runs, forgotten batches,
old counters."""

from datetime import timedelta

from mesh.aip import request_ids
from mesh.store import orders
from mesh.store.purging import Purge

from messaging.caps import caps
from messaging.inbound import SAME_ID_WITHIN

REQUESTS_KEPT = timedelta(days=7)
"""How long the same request id gives the same answer."""

RUNS_KEPT = timedelta(days=60)
"""How long a cancelled run is known as one; its batches are gone from the bus long before."""

FRONTIERS_KEPT = timedelta(days=30)
"""A batch that ends takes its frontier with it. The bus keeps one that never ends for less."""


LONG_TEXTS_KEPT = timedelta(hours=1)
"""How long parts that come again are known. Phones use a reference again after 256 long texts."""

TOTALS_KEPT = timedelta(days=800)
"""How long a campaign that sends no more knows whom it reached: more than two years."""


def purges() -> list[Purge]:
    """All of them; the order does not matter. Runs, frontiers and what nouns answered are few."""
    return [
        Purge("send_requests", "create_time < :before", REQUESTS_KEPT),
        Purge("inbound_texts", "receive_time < :before", 2 * SAME_ID_WITHIN),
        Purge("long_texts", "announced AND due_time < :before", LONG_TEXTS_KEPT),
        Purge("cancelled_runs", "create_time < :before", RUNS_KEPT),
        Purge("batch_frontiers", "update_time < :before", FRONTIERS_KEPT),
        Purge("cap_counters", "counter = '' AND day < :before", caps.DAY + timedelta(days=1)),
        Purge("cap_counters", "counter <> '' AND day < :before", TOTALS_KEPT),
        request_ids.aged(REQUESTS_KEPT),
        Purge("erased_recipients", "hear_time < :before", orders.KEPT),
        orders.aged(),
    ]
