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
    max(treatment) AS treatment, max(channel_type) AS channel_type,
    max(endpoint_id) AS endpoint_id,
    {_any("SENT", "DELIVERED")} AS was_sent,
    {_any("DELIVERED")} AS was_reported,
    {_any("HARD_BOUNCED")} AS was_hard_bounced,
    {_any("SOFT_BOUNCED")} AS was_soft_bounced,
    {_any("FAILED")} AND NOT was_reported AS has_failed,
    {_any("SKIPPED")} AND NOT was_sent AND NOT has_failed AS was_skipped,
    was_reported OR (was_sent AND NOT has_failed AND NOT was_hard_bounced AND NOT was_soft_bounced
        AND channel_type IN ({", ".join(map(str, _WITHOUT_RECEIPTS))})) AS was_delivered,
    countIf(kind = {_K["OPENED"]}) AS times_opened,
    countIf(kind = {_K["CLICKED"]}) AS times_clicked,
    countIf(kind = {_K["REPLIED"]}) AS times_replied,
    {_any("COMPLAINED")} AS was_complained,
    {_any("UNSUBSCRIBED")} AS was_unsubscribed,
    toInt32(argMaxIf(reason, event_time, kind = {_K["FAILED"]})) AS failed_reason,
    toInt32(argMaxIf(reason, event_time, kind = {_K["SKIPPED"]})) AS skipped_reason,
    maxIf(parts, kind = {_K["SENT"]}) AS parts,
    min(event_time) AS first_time, max(event_time) AS latest_time
FROM (SELECT * FROM message_events FINAL WHERE {{where}})
GROUP BY message_id
"""
"""Rows of messages; `{where}` chooses their events."""

COUNTS = """
    countIf(was_sent OR has_failed OR was_skipped) AS targeted,
    countIf(was_sent) AS sent, countIf(was_delivered) AS delivered,
    countIf(has_failed) AS failed, countIf(was_skipped) AS skipped,
    sumMapIf(map(skipped_reason, toUInt64(1)), was_skipped) AS skipped_by_reason,
    sumMapIf(map(failed_reason, toUInt64(1)), has_failed) AS failed_by_reason,
    countIf(times_opened > 0) AS opened, sum(times_opened) AS opens,
    countIf(times_clicked > 0) AS clicked, sum(times_clicked) AS clicks,
    countIf(times_replied > 0) AS replied, sum(times_replied) AS replies,
    countIf(was_hard_bounced) AS hard_bounced, countIf(was_soft_bounced) AS soft_bounced,
    countIf(was_complained) AS complained, countIf(was_unsubscribed) AS unsubscribed,
    uniqExactIf(endpoint_id, was_delivered AND endpoint_id != '') AS unique_deliveries,
    sum(parts) AS parts_sent
"""
"""Columns over rows of PER_MESSAGE that `answer` reads."""

_NUMBERS = (
    "targeted", "sent", "delivered", "failed", "skipped", "opened", "opens", "clicked", "clicks",
    "hard_bounced", "soft_bounced", "complained", "unsubscribed", "unique_deliveries", "parts_sent",
    "replied", "replies",
)  # fmt: skip
_RATES = {
    "delivery_rate": ("delivered", "sent"),
    "open_rate": ("opened", "delivered"),
    "click_rate": ("clicked", "delivered"),
    "reply_rate": ("replied", "delivered"),
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
