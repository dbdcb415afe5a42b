"""A page of members as send batches. Pure.

A batch's identity is its run and its content, never its number: the audience may have changed
between two readings of a page, and a batch dropped as a duplicate must really be one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph import allocation
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.content_pb2 import PROMOTIONAL
from heliograph.messaging.v1.reason_pb2 import HOLDOUT as REASON_HOLDOUT
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from campaign import campaigns, definitions, names
from campaign.tables import RunRow

BATCH_BYTES_MAX = 4 * 1024 * 1024
"""Half of what the bus takes in one message."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is the same for every batch of a run."""

    run: str
    application: str
    campaign: Campaign
    allocation: allocation.Allocation
    source_time: Timestamp
    rules: SendBatch
    """What limits the run, as a part of each batch."""
    messages_per_second: int


def plan(run: RunRow, campaign: Campaign) -> Plan:
    """The plan of a run that sends `campaign`, the version it began with."""
    campaign_name = f"applications/{run.application}/campaigns/{run.campaign}"
    return Plan(
        run=names.run_name(run),
        application=run.application,
        campaign=campaign,
        allocation=allocation.allocation(
            campaign_name, campaign.holdout_percent, definitions.percents(campaign)
        ),
        source_time=campaigns.timestamp(run.schedule_time) or Timestamp(),
        rules=SendBatch.FromString(run.rules or b""),
        messages_per_second=run.messages_per_second,
    )


def batches(plan: Plan, endpoints: Sequence[Endpoint]) -> Iterator[SendBatch]:
    """The page as one batch, or as several when it is too large for the bus."""
    batch = _batch(plan, endpoints)
    if batch.ByteSize() <= BATCH_BYTES_MAX or len(endpoints) == 1:
        yield batch
        return
    middle = len(endpoints) // 2
    yield from batches(plan, endpoints[:middle])
    yield from batches(plan, endpoints[middle:])


def _batch(plan: Plan, endpoints: Sequence[Endpoint]) -> SendBatch:
    batch = SendBatch(
        application=plan.application,
        run=plan.run,
        source=plan.run,
        source_time=plan.source_time,
        purpose=plan.campaign.purpose or PROMOTIONAL,
        topic=plan.campaign.topic,
        treatments=[
            SendBatch.Treatment(treatment=treatment.treatment, content=treatment.content)
            for treatment in plan.campaign.treatments
        ],
    )
    batch.MergeFrom(plan.rules)
    for endpoint in endpoints:
        _add_recipient(batch, plan.allocation, endpoint)
    content = batch.SerializeToString(deterministic=True)
    batch.batch_id = sha256(content).hexdigest()[:32]
    return batch


def _add_recipient(batch: SendBatch, shares: allocation.Allocation, endpoint: Endpoint) -> None:
    key = endpoint.name.rpartition("/")[2]
    index = shares.treatment_index(key)
    if index == allocation.HOLDOUT:
        batch.recipients.add(endpoint=endpoint, key=key, skip_reason=REASON_HOLDOUT)
    else:
        batch.recipients.add(endpoint=endpoint, key=key, treatment_index=index)
