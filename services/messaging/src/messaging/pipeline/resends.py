"""A batch of one: what it takes to send a single message again. Pure."""

from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging.pipeline.works import Work
from messaging.purposes import PROMOTIONS

AGAIN = "/again/"
RESENDS_MAX = 3
"""A provider that never answers must not get the same message for ever."""


def resends(channel: Channel, purpose: int, batch_id: str) -> bool:
    """Whether the channel's policy sends a message of unknown outcome again."""
    if batch_id.count(AGAIN) >= RESENDS_MAX:
        return False
    promotional = purpose in PROMOTIONS
    policy = (
        channel.promotional_unknown_outcome
        if promotional
        else channel.transactional_unknown_outcome
    )
    if policy == Channel.UNKNOWN_OUTCOME_POLICY_UNSPECIFIED:
        return not promotional
    return policy == Channel.RESEND


def alone(batch: SendBatch, work: Work) -> SendBatch:
    """The batch with nobody but this recipient; its message keeps its id."""
    single = SendBatch(
        batch_id=f"{batch.batch_id}{AGAIN}{work.row.message_id}",
        application=batch.application,
        run=batch.run,
        source=batch.source,
        source_time=batch.source_time,
        purpose=batch.purpose,
        topic=batch.topic,
        treatments=[batch.treatments[work.recipient.treatment_index]],
        recipients=[work.recipient],
        expire_time=batch.expire_time if batch.HasField("expire_time") else None,
        quiet_time=batch.quiet_time if batch.HasField("quiet_time") else None,
        caps=batch.caps if batch.HasField("caps") else None,
    )
    single.recipients[0].treatment_index = 0
    return single
