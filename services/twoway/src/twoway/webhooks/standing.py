"""How the addresses of webhooks answer, for whoever reads a number or a pool."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.twoway.v1 import origination_pb2
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock
from twoway.webhooks.tables import WebhookDestinationRow

Webhook = origination_pb2.TwoWayWebhook


async def tell(session: AsyncSession, application: str, resources: Iterable[Any]) -> None:
    """Put into numbers or pools of an application how their webhooks answer; one query for all."""
    webhooks: list[Webhook] = [
        one.two_way_webhook for one in resources if one.HasField("two_way_webhook")
    ]
    if not webhooks:
        return
    row, uris = WebhookDestinationRow, {webhook.uri for webhook in webhooks}
    query = select(row).where(row.application == application, col(row.uri).in_(uris))
    found = {one.uri: _standing(one) for one in (await session.exec(query)).all()}
    for webhook in webhooks:
        if webhook.uri in found:
            webhook.standing.CopyFrom(found[webhook.uri])


def _standing(row: WebhookDestinationRow) -> "Webhook.Standing":
    is_failing = row.failing_time is not None
    return Webhook.Standing(
        failing_time=_stamp(row.failing_time),
        failed_rounds=row.failed_rounds,
        attempt_time=_stamp(row.attempt_time) if is_failing else None,
        failure=row.failure,
        failure_status=row.failure_status,
        failure_time=_stamp(row.failure_time),
        taken_time=_stamp(row.taken_time),
    )


def _stamp(moment: datetime | None) -> Timestamp | None:
    return None if moment is None else clock.stamp(moment)
