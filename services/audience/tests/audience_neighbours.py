"""The services that audience asks about an endpoint: the real contract, few facts."""

from types import SimpleNamespace
from typing import Any

from heliograph.campaign.v1 import campaign_pb2, campaign_service_pb2
from heliograph.messaging.v1 import (
    channel_pb2,
    channel_service_pb2,
    message_service_pb2,
    suppression_pb2,
    suppression_service_pb2,
    template_pb2,
    template_service_pb2,
)
from heliograph.twoway.v1 import opt_out_list_pb2, opt_out_service_pb2
from mesh.errors import NotFound

SHOP = "applications/shop"
NUMBER = "+12065550100"


class Town:
    """Campaign, messaging and twoway in one, and all that they know of `shop`."""

    def __init__(self) -> None:
        self.campaigns: dict[str, campaign_pb2.Campaign] = {}
        self.channels = [
            channel_pb2.Channel(channel_type=1, enabled=True, default_origination_identity=NUMBER)
        ]
        self.suppressions: list[suppression_pb2.Suppression] = []
        self.usages: dict[str, message_service_pb2.CheckCapsResponse.Usage] = {}
        """What endpoints have had, by name."""
        self.templates: dict[str, template_pb2.TemplateContent] = {}
        self.lists: dict[str, list[opt_out_list_pb2.OptedOutNumber]] = {}
        self.opted_out: set[tuple[str, str]] = set()
        """Pairs of an origination and an address."""

    def served(self) -> dict[str, object]:
        """Their servicers by name; each answers its own methods."""
        modules = (
            campaign_service_pb2,
            channel_service_pb2,
            message_service_pb2,
            suppression_service_pb2,
            template_service_pb2,
            opt_out_service_pb2,
        )
        return {
            service.full_name: self._part(service)
            for module in modules
            for service in module.DESCRIPTOR.services_by_name.values()
        }

    def _part(self, service: Any) -> object:
        known = [one.name for one in service.methods if hasattr(self, one.name)]
        return SimpleNamespace(**{name: getattr(self, name) for name in known})

    async def GetCampaign(self, request: Any, context: Any) -> campaign_pb2.Campaign:
        if request.name not in self.campaigns:
            raise NotFound("CAMPAIGN_NOT_FOUND", f"{request.name} does not exist")
        return self.campaigns[request.name]

    async def ListChannels(
        self, request: Any, context: Any
    ) -> channel_service_pb2.ListChannelsResponse:
        return channel_service_pb2.ListChannelsResponse(channels=self.channels)

    async def ListSuppressions(
        self, request: Any, context: Any
    ) -> suppression_service_pb2.ListSuppressionsResponse:
        found = [one for one in self.suppressions if one.address == request.address]
        return suppression_service_pb2.ListSuppressionsResponse(suppressions=found)

    async def CheckCaps(self, request: Any, context: Any) -> message_service_pb2.CheckCapsResponse:
        usages = [self.usages.get(name) for name in request.endpoints]
        return message_service_pb2.CheckCapsResponse(
            usages=[usage or message_service_pb2.CheckCapsResponse.Usage() for usage in usages]
        )

    async def GetTemplate(self, request: Any, context: Any) -> template_pb2.Template:
        return template_pb2.Template(name=request.name, content=self.templates[request.name])

    async def GetTemplateVersion(self, request: Any, context: Any) -> template_pb2.TemplateVersion:
        return template_pb2.TemplateVersion(name=request.name, content=self.templates[request.name])

    async def ListOptOutLists(
        self, request: Any, context: Any
    ) -> opt_out_service_pb2.ListOptOutListsResponse:
        return opt_out_service_pb2.ListOptOutListsResponse(
            opt_out_lists=[{"name": name} for name in self.lists]
        )

    async def ListOptedOutNumbers(
        self, request: Any, context: Any
    ) -> opt_out_service_pb2.ListOptedOutNumbersResponse:
        """One number a page."""
        position = int(request.page_token or 0)
        numbers = self.lists[request.parent]
        return opt_out_service_pb2.ListOptedOutNumbersResponse(
            opted_out_numbers=numbers[position : position + 1],
            next_page_token=str(position + 1) if position + 1 < len(numbers) else "",
        )

    async def CheckConsent(
        self, request: Any, context: Any
    ) -> opt_out_service_pb2.CheckConsentResponse:
        return opt_out_service_pb2.CheckConsentResponse(
            opted_out_addresses=[
                address
                for address in request.destination_addresses
                if (request.origination_identity, address) in self.opted_out
            ]
        )
