"""What became of messages: one row a message first, so that every number counts it once. Pure.

Definitions: Pinpoint developer guide, standard metrics. Delivered is what the provider reported;
for channels whose providers report no delivery (mail, push), as in Pinpoint, what was sent and not
returned.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from heliograph.analytics.v1.campaign_report_pb2 import MessageCounts
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.messaging.v1.events_pb2 import MessageEvent

_WITHOUT_RECEIPTS = (
    channels.EMAIL,
    channels.PUSH_FCM,
    channels.PUSH_APNS,
    channels.PUSH_APNS_SANDBOX,
    channels.PUSH_WEB,
    channels.PUSH_APNS_VOIP,
    channels.PUSH_APNS_VOIP_SANDBOX,
    channels.PUSH_ADM,
    channels.PUSH_BAIDU,
)
_K = {name: str(number) for name, number in MessageEvent.Kind.items()}


def _any(*kinds: str) -> str:
    return f"max(kind IN ({', '.join(_K[kind] for kind in kinds)}))"


PER_MESSAGE = f"""
SELECT message_id, any(message_time) AS message_time, any(run_id) AS run_id,
    any(treatment) AS treatment, any(channel_type) AS channel_type,
    any(endpoint_id) AS endpoint_id,
    {_any("SENT", "DELIVERED")} AS sent,
    {_any("DELIVERED")} AS reported,
    {_any("HARD_BOUNCED")} AS hard_bounced,
    {_any("SOFT_BOUNCED")} AS soft_bounced,
    {_any("FAILED")} AND NOT reported AS failed,
    {_any("SKIPPED")} AND NOT sent AND NOT failed AS skipped,
    reported OR (sent AND NOT failed AND NOT hard_bounced AND NOT soft_bounced
        AND channel_type IN ({", ".join(map(str, _WITHOUT_RECEIPTS))})) AS delivered,
    countIf(kind = {_K["OPENED"]}) AS opens,
    countIf(kind = {_K["CLICKED"]}) AS clicks,
    {_any("COMPLAINED")} AS complained,
    {_any("UNSUBSCRIBED")} AS unsubscribed,
    argMaxIf(reason, event_time, kind = {_K["FAILED"]}) AS failed_reason,
    argMaxIf(reason, event_time, kind = {_K["SKIPPED"]}) AS skipped_reason,
    maxIf(parts, kind = {_K["SENT"]}) AS parts,
    min(event_time) AS first_event_time, max(event_time) AS latest_event_time
FROM message_events FINAL
WHERE {{where}}
GROUP BY message_id
"""
"""Rows of messages; `{where}` chooses their events."""

COUNTS = """
    countIf(sent OR failed OR skipped) AS targeted,
    countIf(sent) AS sent, countIf(delivered) AS delivered, countIf(failed) AS failed,
    countIf(skipped) AS skipped,
    sumMapIf(map(toInt32(skipped_reason), toUInt64(1)), skipped) AS skipped_by_reason,
    sumMapIf(map(toInt32(failed_reason), toUInt64(1)), failed) AS failed_by_reason,
    countIf(opens > 0) AS opened, sum(opens) AS opens,
    countIf(clicks > 0) AS clicked, sum(clicks) AS clicks,
    countIf(hard_bounced) AS hard_bounced, countIf(soft_bounced) AS soft_bounced,
    countIf(complained) AS complained, countIf(unsubscribed) AS unsubscribed,
    uniqExactIf(endpoint_id, delivered AND endpoint_id != '') AS unique_deliveries,
    sum(parts) AS parts_sent
"""
"""Columns over rows of PER_MESSAGE that `answer` reads."""

_NUMBERS = (
    "targeted", "sent", "delivered", "failed", "skipped", "opened", "opens", "clicked", "clicks",
    "hard_bounced", "soft_bounced", "complained", "unsubscribed", "unique_deliveries", "parts_sent",
)  # fmt: skip
_RATES = {
    "delivery_rate": ("delivered", "sent"),
    "open_rate": ("opened", "delivered"),
    "click_rate": ("clicked", "delivered"),
    "hard_bounce_rate": ("hard_bounced", "sent"),
    "complaint_rate": ("complained", "sent"),
}


def answer(row: Mapping[str, Any]) -> MessageCounts:
    """The counts of a row, with their rates."""
    counts = MessageCounts(**{name: row[name] for name in _NUMBERS})
    for reason, count in _by_count(row["skipped_by_reason"]):
        counts.skipped_by_reason.add(reason=reason, count=count)
    for reason, count in _by_count(row["failed_by_reason"]):
        counts.failed_by_reason.add(reason=reason, count=count)
    for rate, (part, whole) in _RATES.items():
        if row[whole]:
            setattr(counts, rate, row[part] / row[whole])
    return counts


def _by_count(reasons: Mapping[int, int]) -> Iterable[tuple[int, int]]:
    return sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
