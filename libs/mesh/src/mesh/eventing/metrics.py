"""What the outside may know about publishing and consuming."""

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter(
    "heliograph_publisher_messages_total",
    "Messages acknowledged by a stream: stored, or recognised as a duplicate",
    ["result"],
)
PUBLISH_RETRIES = Counter(
    "heliograph_publisher_retries_total", "Attempts to publish that brought no acknowledgement"
)
RELAYED = Counter("heliograph_outbox_relayed_total", "Events moved from the outbox to a stream")
RELAY_FAILURES = Counter("heliograph_outbox_failures_total", "Steps of the relay that failed")

CONSUMED = Counter(
    "heliograph_consumer_messages_total",
    "Deliveries by what became of them: ack, later, retry, dead, returned",
    ["consumer", "outcome"],
)
PUT_OFF = Counter(
    "heliograph_consumer_put_off_total",
    "Deliveries that a handler wanted again later, by its reason",
    ["consumer", "reason"],
)
HANDLING_SECONDS = Histogram(
    "heliograph_consumer_handling_seconds",
    "Time a handler took for a message or a batch",
    ["consumer"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
HELD = Gauge(
    "heliograph_consumer_held_messages",
    "Messages this process holds: in a handler, or waiting for another attempt",
    ["consumer"],
)
PENDING = Gauge(
    "heliograph_consumer_pending_messages",
    "Messages in the stream that the consumer has not delivered yet, as of the last delivery",
    ["consumer"],
)
