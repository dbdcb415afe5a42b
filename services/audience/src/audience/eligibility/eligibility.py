"""The method that explains an endpoint: reads it, asks everybody at once, and says what follows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from heliograph import allocation, sending_rules
from heliograph.addresses import PHONE_CHANNELS
from heliograph.audience.v1 import endpoint_service_pb2 as service_pb
from heliograph.audience.v1 import segment_service_pb2 as segment_pb
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.content_pb2 import MessageContent
from mesh.aip import resource_names
from mesh.errors import NotFound

from audience import names
from audience.applications import settings
from audience.consent import store
from audience.eligibility.answers import Answers, Limits, Plan, Unanswered, answered
from audience.eligibility.explaining import explanation
from audience.eligibility.neighbours import Neighbours
from audience.endpoints.queries import Pool

CAMPAIGN: Final = "applications/{application}/campaigns/{campaign}"

CheckMembers: TypeAlias = Callable[
    [segment_pb.CheckMembersRequest, Any], Awaitable[segment_pb.CheckMembersResponse]
]


class Eligibility:
    """Explains endpoints that have been read. `check_members` is the segments' own method."""

    def __init__(
        self,
        pool: Pool,
        neighbours: Neighbours,
        check_members: CheckMembers,
        now: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._neighbours = neighbours
        self._check_members = check_members
        self._now = now

    async def explain(
        self, endpoint: Endpoint, campaign: str
    ) -> service_pb.ExplainEligibilityResponse:
        """Every reason against a message to the endpoint. NOT_FOUND for an unknown campaign."""
        application, endpoint_id = names.endpoint_of(endpoint.name)
        plan, originations, suppressions, opt_outs = await asyncio.gather(
            self._plan(application, endpoint_id, campaign),
            answered("messaging", self._neighbours.originations(application)),
            answered("messaging", self._neighbours.suppressions(application, endpoint.address)),
            store.opt_outs(self._pool, application, endpoint.address),
        )
        origination = _origination(endpoint.channel_type, plan, originations)
        is_opted_out, is_member, limits = await asyncio.gather(
            self._is_opted_out(application, origination, endpoint),
            self._is_member(endpoint.name, plan),
            self._limits(application, endpoint.name, plan),
        )
        answers = Answers(
            plan=plan,
            is_member=is_member,
            originations=originations,
            suppressions=suppressions,
            is_opted_out=is_opted_out,
            opt_outs=opt_outs,
            limits=limits,
            now=self._now(),
        )
        return explanation(endpoint, answers)

    async def _plan(
        self, application: str, endpoint_id: str, name: str
    ) -> Plan | Unanswered | None:
        if not name:
            return None
        owner = resource_names.parse(CAMPAIGN, name, field="campaign")["application"]
        names.refuse_mismatch(application, owner, "campaign")
        campaign = await answered("campaign", self._campaign(name))
        if campaign is None:
            raise NotFound("CAMPAIGN_NOT_FOUND", f"{name} does not exist", campaign=name)
        if isinstance(campaign, Unanswered):
            return campaign
        return await self._treated(campaign, endpoint_id)

    async def _campaign(self, name: str) -> Campaign | None:
        try:
            return await self._neighbours.campaign(name)
        except NotFound:
            return None

    async def _treated(self, campaign: Campaign, endpoint_id: str) -> Plan:
        """What the campaign has for the endpoint, by the same hash as in a run."""
        percents = [treatment.percent for treatment in campaign.treatments]
        shares = allocation.allocation(campaign.name, campaign.holdout_percent, percents)
        index = shares.treatment_index(endpoint_id)
        if index == allocation.HOLDOUT:
            return Plan(campaign, "", Unanswered("the hold-out gets no message"))
        treatment = campaign.treatments[index]
        content = await answered("messaging", self._neighbours.completed(treatment.content))
        return Plan(campaign, treatment.treatment, content)

    async def _is_opted_out(
        self, application: str, origination: str, endpoint: Endpoint
    ) -> bool | Unanswered:
        if endpoint.channel_type not in PHONE_CHANNELS or not endpoint.address:
            return False
        asking = self._neighbours.is_opted_out(application, origination, endpoint.address)
        return await answered("twoway", asking)

    async def _limits(
        self, application: str, endpoint: str, plan: Plan | Unanswered | None
    ) -> Limits:
        """As a run would have them that begins now."""
        if not isinstance(plan, Plan):
            return Limits()
        found = await settings.read(self._pool, application)
        caps = sending_rules.caps(found, plan.campaign, counted=False)
        limits = Limits(sending_rules.quiet_time(found, plan.campaign), caps)
        if caps is None:
            return limits
        asking = self._neighbours.usage(application, endpoint, caps)
        return replace(limits, usage=await answered("messaging", asking))

    async def _is_member(self, endpoint: str, plan: Plan | Unanswered | None) -> bool | Unanswered:
        if not isinstance(plan, Plan):
            return True
        request = segment_pb.CheckMembersRequest(name=plan.campaign.segment, endpoints=[endpoint])
        answer = await answered("the segment", self._check_members(request, None))
        return answer if isinstance(answer, Unanswered) else bool(answer.members)


def _origination(
    channel_type: ChannelType.ValueType,
    plan: Plan | Unanswered | None,
    originations: dict[ChannelType.ValueType, str] | Unanswered,
) -> str:
    """Where the message would come from; empty when nobody says, and then every list counts."""
    content = plan.content if isinstance(plan, Plan) else None
    stated = ""
    if isinstance(content, MessageContent) and channel_type == ChannelType.SMS:
        stated = content.sms.origination_identity
    if isinstance(originations, Unanswered):
        return stated
    return stated or originations.get(channel_type, "")
