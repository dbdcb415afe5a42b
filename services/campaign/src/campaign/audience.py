"""What campaigns ask of audience: whether a segment is there, and whom it can be reached on."""

from collections.abc import Iterable
from dataclasses import dataclass

from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_service_pb2, segment_service_pb2_grpc
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.content_pb2 import MessageContent
from mesh.errors import FailedPrecondition, NotFound

from campaign.definitions import set_fields

PUSH = {
    channels.PUSH_FCM,
    channels.PUSH_APNS,
    channels.PUSH_APNS_SANDBOX,
    channels.PUSH_APNS_VOIP,
    channels.PUSH_APNS_VOIP_SANDBOX,
    channels.PUSH_WEB,
    channels.PUSH_ADM,
    channels.PUSH_BAIDU,
}
REACHED = {
    "sms": {channels.SMS},
    "email": {channels.EMAIL},
    "push": PUSH,
    "voice": {channels.VOICE},
    "in_app": {channels.IN_APP},
    "custom": {channels.CUSTOM},
}
"""The channels that each part of a message reaches."""


@dataclass(frozen=True)
class Segments:
    """The segments of audience."""

    stub: "segment_service_pb2_grpc.SegmentServiceAsyncStub"

    async def check(self, campaign: Campaign) -> None:
        """Refuse a campaign without a segment, or whose messages fit none of its members."""
        present = await self._channels(campaign.segment)
        contents = [treatment.content for treatment in campaign.treatments]
        if any(content.templates for content in contents) or not present:
            return
        if not present & reached(contents):
            raise FailedPrecondition(
                "NO_MESSAGE_FOR_CHANNEL",
                f"the campaign has no message for any channel of {campaign.segment}: "
                + ", ".join(sorted(channels.ChannelType.Name(channel) for channel in present)),
                segment=campaign.segment,
            )

    async def _channels(self, segment: str) -> set[channels.ChannelType.ValueType]:
        request = segment_service_pb2.CountSegmentRequest(name=segment)
        try:
            answer = await self.stub.CountSegment(request)
        except NotFound as error:
            raise FailedPrecondition(
                "SEGMENT_NOT_FOUND", f"{segment} does not exist", segment=segment
            ) from error
        return {
            channels.ChannelType.Value(channel)
            for channel, count in answer.counts_by_channel.items()
            if count
        }


def reached(contents: Iterable[MessageContent]) -> set[channels.ChannelType.ValueType]:
    """The channels that the contents have a message for."""
    return {
        channel
        for content in contents
        for part, reaches in REACHED.items()
        if part in set_fields(content)
        for channel in reaches
    }
