"""What campaigns ask of audience: whether a segment is there, and whom it can be reached on."""

from dataclasses import dataclass

from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_service_pb2, segment_service_pb2_grpc
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.contents import reached
from mesh.errors import FailedPrecondition, NotFound


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
