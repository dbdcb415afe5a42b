"""What this room counts, in the words of its nouns."""

from mesh.telemetry.metrics import LATENCY_BUCKETS_SECONDS
from prometheus_client import Counter, Histogram

INBOUND = Counter(
    "heliograph_twoway_inbound_messages_total", "Texts taken in, by what they mean.", ["intent"]
)
REMARKS = Counter(
    "heliograph_twoway_inbound_remarks_total",
    "What was odd about texts taken in, for example EMPTY or REPLY_WITHHELD.",
    ["reason"],
)
REPLIES = Counter(
    "heliograph_twoway_replies_total",
    "Replies by what messaging said of them: accepted, refused.",
    ["outcome"],
)
REPLY_SECONDS = Histogram(
    "heliograph_twoway_reply_seconds",
    "From a text taken in to its reply accepted by messaging.",
    buckets=LATENCY_BUCKETS_SECONDS,
)
CONSENT_ADDRESSES = Counter(
    "heliograph_twoway_consent_addresses_total",
    "Addresses whose consent was asked for, by the answer.",
    ["answer"],
)
WEBHOOK_POSTS = Counter(
    "heliograph_twoway_webhook_posts_total",
    "Attempts to post a text by what became of it: taken, postponed, failed (not tried again).",
    ["outcome"],
)
WEBHOOK_SECONDS = Histogram(
    "heliograph_twoway_webhook_seconds",
    "From a text posted to the answer.",
    buckets=LATENCY_BUCKETS_SECONDS,
)
OPT_OUT_ALARMS = Counter(
    "heliograph_twoway_opt_out_alarms_total",
    "Alarms on opt-outs by what they did: trigger, clear.",
    ["change"],
)
