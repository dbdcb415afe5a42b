"""The headers that travel with a message; its body is the bare protobuf."""

MESSAGE_ID = "Nats-Msg-Id"
"""Names the event for ever: JetStream drops repetitions in its window, the inbox after that."""

EVENT_TIME = "Heliograph-Event-Time"
"""When what is told happened, RFC 3339 in UTC."""

TRACE_PARENT = "traceparent"
"""W3C Trace Context of whoever announced it."""

DEAD_REASON = "Heliograph-Dead-Reason"
DEAD_MESSAGE = "Heliograph-Dead-Message"
DEAD_ID = "Heliograph-Dead-Id"
DEAD_SUBJECT = "Heliograph-Dead-Subject"
DEAD_STREAM = "Heliograph-Dead-Stream"
DEAD_SEQUENCE = "Heliograph-Dead-Sequence"
DEAD_CONSUMER = "Heliograph-Dead-Consumer"
DEAD_DELIVERIES = "Heliograph-Dead-Deliveries"
DEAD_TIME = "Heliograph-Dead-Time"
