"""The services that are asked about an endpoint: campaign, messaging and twoway."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import grpc
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.campaign.v1 import campaign_service_pb2, campaign_service_pb2_grpc
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1 import (
    channel_service_pb2,
    channel_service_pb2_grpc,
    message_service_pb2,
    message_service_pb2_grpc,
    suppression_service_pb2,
    suppression_service_pb2_grpc,
    template_service_pb2,
    template_service_pb2_grpc,
)
from heliograph.messaging.v1.content_pb2 import MessageContent
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.messaging.v1.suppression_pb2 import Suppression
from heliograph.messaging.v1.template_pb2 import TemplateContent
from heliograph.twoway.v1 import opt_out_service_pb2, opt_out_service_pb2_grpc

if TYPE_CHECKING:
    from heliograph.campaign.v1.campaign_service_pb2_grpc import CampaignServiceAsyncStub
    from heliograph.messaging.v1.channel_service_pb2_grpc import ChannelServiceAsyncStub
    from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceAsyncStub
    from heliograph.messaging.v1.suppression_service_pb2_grpc import SuppressionServiceAsyncStub
    from heliograph.messaging.v1.template_service_pb2_grpc import TemplateServiceAsyncStub
    from heliograph.twoway.v1.opt_out_service_pb2_grpc import OptOutServiceAsyncStub

TIMEOUT_SECONDS: Final = 3.0
CHANNELS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What they are asked, each for at most `TIMEOUT_SECONDS`; raises what they raise."""

    campaigns: "CampaignServiceAsyncStub"
    channels: "ChannelServiceAsyncStub"
    suppressed: "SuppressionServiceAsyncStub"
    templates: "TemplateServiceAsyncStub"
    opt_outs: "OptOutServiceAsyncStub"
    messages: "MessageServiceAsyncStub"

    @classmethod
    def of(
        cls, campaign: grpc.aio.Channel, messaging: grpc.aio.Channel, twoway: grpc.aio.Channel
    ) -> Self:
        """The neighbours at the ends of these channels."""
        return cls(
            campaigns=campaign_service_pb2_grpc.CampaignServiceStub(campaign),
            channels=channel_service_pb2_grpc.ChannelServiceStub(messaging),
            suppressed=suppression_service_pb2_grpc.SuppressionServiceStub(messaging),
            templates=template_service_pb2_grpc.TemplateServiceStub(messaging),
            opt_outs=opt_out_service_pb2_grpc.OptOutServiceStub(twoway),
            messages=message_service_pb2_grpc.MessageServiceStub(messaging),
        )

    async def campaign(self, name: str) -> Campaign:
        """A campaign as it stands."""
        request = campaign_service_pb2.GetCampaignRequest(name=name)
        return await self.campaigns.GetCampaign(request, timeout=TIMEOUT_SECONDS)

    async def originations(self, application: str) -> dict[ChannelType.ValueType, str]:
        """The kinds of address that the application reaches, with their default origination."""
        request = channel_service_pb2.ListChannelsRequest(
            parent=f"applications/{application}", page_size=CHANNELS_MAX
        )
        answer = await self.channels.ListChannels(request, timeout=TIMEOUT_SECONDS)
        return {
            one.channel_type: one.default_origination_identity
            for one in answer.channels
            if one.enabled
        }

    async def suppressions(self, application: str, address: str) -> Sequence[Suppression]:
        """What the suppression list has of an address, on all channels."""
        if not address:
            return ()
        request = suppression_service_pb2.ListSuppressionsRequest(
            parent=f"applications/{application}", address=address
        )
        answer = await self.suppressed.ListSuppressions(request, timeout=TIMEOUT_SECONDS)
        return answer.suppressions

    async def usage(
        self, application: str, endpoint: str, caps: SendBatch.Caps
    ) -> message_service_pb2.CheckCapsResponse.Usage:
        """How many messages an endpoint has had, and which of the caps are used up."""
        request = message_service_pb2.CheckCapsRequest(
            parent=f"applications/{application}", endpoints=[endpoint], caps=caps
        )
        return (await self.messages.CheckCaps(request, timeout=TIMEOUT_SECONDS)).usages[0]

    async def is_opted_out(self, application: str, origination: str, address: str) -> bool:
        """Whether the address is on the list of the origination; of all lists without one."""
        request = opt_out_service_pb2.CheckConsentRequest(
            parent=f"applications/{application}",
            origination_identity=origination,
            destination_addresses=[address],
        )
        answer = await self.opt_outs.CheckConsent(request, timeout=TIMEOUT_SECONDS)
        return bool(answer.opted_out_addresses)

    async def completed(self, content: MessageContent) -> MessageContent:
        """The content with the stored templates it names put in where it has no part of its own."""
        whole = MessageContent()
        whole.CopyFrom(content)
        for stored in await asyncio.gather(*map(self._template, content.templates)):
            part = stored.WhichOneof("content")
            if part and not whole.HasField(part):
                getattr(whole, part).CopyFrom(getattr(stored, part))
        return whole

    async def _template(self, name: str) -> TemplateContent:
        if "/versions/" in name:
            version = template_service_pb2.GetTemplateVersionRequest(name=name)
            answer = await self.templates.GetTemplateVersion(version, timeout=TIMEOUT_SECONDS)
            return answer.content
        request = template_service_pb2.GetTemplateRequest(name=name)
        return (await self.templates.GetTemplate(request, timeout=TIMEOUT_SECONDS)).content
