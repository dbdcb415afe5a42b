"""What messaging counts, named after its nouns."""

from prometheus_client import Counter

MESSAGES = Counter(
    "heliograph_messaging_messages_total", "Messages by what became of them.", ["kind", "reason"]
)
RECEIPTS = Counter("heliograph_messaging_receipts_total", "Receipts by what they did.", ["outcome"])
INBOUND = Counter("heliograph_messaging_inbound_texts_total", "Texts received.", ["outcome"])
