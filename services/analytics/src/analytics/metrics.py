"""What analytics counts about itself, for Prometheus."""

from prometheus_client import Counter, Histogram

EVENTS = Counter(
    "heliograph_analytics_events_total", "Events that clients have sent, by outcome.", ["outcome"]
)
GROUP_BYTES = Histogram(
    "heliograph_analytics_group_bytes",
    "Size of the bus messages that events leave in.",
    buckets=(1_000, 4_000, 16_000, 64_000, 128_000, 256_000, 512_000, 1_000_000),
)
INSERTED_MESSAGES = Counter(
    "heliograph_analytics_inserted_messages_total",
    "Bus messages that the event store has taken, by table.",
    ["table"],
)
MATCHED_ENDPOINTS = Counter(
    "heliograph_analytics_matched_endpoints_total",
    "Endpoints that were found to meet a condition on their events.",
)
INSERT_SECONDS = Histogram(
    "heliograph_analytics_insert_seconds",
    "Time of one insert into the event store, by table.",
    ["table"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
