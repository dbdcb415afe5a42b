"""From what is known about an endpoint to every reason against a message to it. Pure."""

from collections.abc import Container, Iterator
from datetime import UTC, datetime
from typing import Final

from heliograph import addresses, obstacles
from heliograph.audience.v1 import endpoint_service_pb2 as service_pb
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.contents import reached
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.suppression_pb2 import Suppression

from audience.eligibility import limits
from audience.eligibility.answers import Answers, Plan, Unanswered
from audience.eligibility.findings import Finding, unknown
from audience.moments import timestamp

ALL_CHANNELS: Final = frozenset(ChannelType.values())


def explanation(endpoint: Endpoint, answers: Answers) -> service_pb.ExplainEligibilityResponse:
    """Whether the endpoint would get the message, and all that is against it."""
    found = [
        *_of_campaign(answers),
        *_of_endpoint(endpoint, answers),
        *limits.findings(endpoint, answers.limits, answers.now),
        *_suppressed(endpoint, answers),
        *_opted_out(endpoint, answers),
    ]
    return service_pb.ExplainEligibilityResponse(
        eligible=not found,
        channel_type=endpoint.channel_type,
        obstacles=[_message(one) for one in found if one.is_known],
        unknowns=[_message(one) for one in found if not one.is_known],
        treatment=answers.plan.treatment if isinstance(answers.plan, Plan) else "",
    )


def _of_campaign(answers: Answers) -> Iterator[Finding]:
    if answers.plan is None:
        return
    if isinstance(answers.plan, Unanswered):
        yield unknown(Reason.NOT_IN_SEGMENT, answers.plan)
        yield unknown(Reason.HOLDOUT, answers.plan)
        return
    campaign = answers.plan.campaign
    if isinstance(answers.is_member, Unanswered):
        yield unknown(Reason.NOT_IN_SEGMENT, answers.is_member)
    elif not answers.is_member:
        yield Finding(Reason.NOT_IN_SEGMENT, f"it is no member of {campaign.segment}")
    if answers.plan.is_held_out:
        share = campaign.holdout_percent
        yield Finding(Reason.HOLDOUT, f"it belongs to the {share} % that get nothing")


def _of_endpoint(endpoint: Endpoint, answers: Answers) -> Iterator[Finding]:
    said, unsaid = _said(answers)
    originations = answers.originations
    configured = ALL_CHANNELS if isinstance(originations, Unanswered) else originations
    for reason in obstacles.obstacles(endpoint, answers.purpose, said, configured, answers.topic):
        yield Finding(reason, _words(reason, endpoint, answers))
    if endpoint.refused_topics and isinstance(answers.plan, Unanswered):
        yield unknown(Reason.TOPIC_REFUSED, answers.plan)
    if unsaid:
        yield unknown(Reason.CHANNEL_MISMATCH, unsaid)
    if isinstance(originations, Unanswered):
        yield unknown(Reason.CHANNEL_NOT_CONFIGURED, originations)


def _said(answers: Answers) -> tuple[Container[ChannelType.ValueType], Unanswered | None]:
    """The channels there is content for; all, if that cannot be found out, and why."""
    plan = answers.plan
    if plan is None or (isinstance(plan, Plan) and plan.is_held_out):
        return ALL_CHANNELS, None
    content = plan if isinstance(plan, Unanswered) else plan.content
    if isinstance(content, Unanswered):
        return ALL_CHANNELS, content
    return reached([content]), None


def _words(reason: Reason.ValueType, endpoint: Endpoint, answers: Answers) -> str:
    channel = ChannelType.Name(endpoint.channel_type)
    treatment = answers.plan.treatment if isinstance(answers.plan, Plan) else ""
    return {
        Reason.ENDPOINT_INACTIVE: "its status is INACTIVE: another endpoint has taken its address, "
        "or it was set aside",
        Reason.ENDPOINT_OPTED_OUT: "its opt_out is ALL",
        Reason.TOPIC_REFUSED: f"it refuses the topic {answers.topic!r}",
        Reason.MISSING_ADDRESS: "it has no address",
        Reason.INVALID_ADDRESS: f"{endpoint.address!r} is no address of {channel}",
        Reason.CHANNEL_MISMATCH: f"treatment {treatment} says nothing on {channel}",
        Reason.CHANNEL_NOT_CONFIGURED: f"no {channel} channel of the application is enabled",
    }[reason]


def _suppressed(endpoint: Endpoint, answers: Answers) -> Iterator[Finding]:
    if not endpoint.address or not obstacles.asks_suppression(answers.purpose):
        return
    if isinstance(answers.suppressions, Unanswered):
        yield unknown(Reason.SUPPRESSED, answers.suppressions)
        return
    for one in answers.suppressions:
        if one.channel_type in (0, endpoint.channel_type) and not _is_over(one, answers.now):
            yield _suppression(endpoint.address, one)


def _suppression(address: str, one: Suppression) -> Finding:
    where = f"on {ChannelType.Name(one.channel_type)}" if one.channel_type else "on every channel"
    cause = Suppression.Cause.Name(one.cause)
    detail = f"{address} is suppressed {where}: {cause}{f', {one.note}' if one.note else ''}"
    return Finding(Reason.SUPPRESSED, detail, one.create_time.ToDatetime(tzinfo=UTC))


def _is_over(one: Suppression, now: datetime) -> bool:
    return one.HasField("expire_time") and one.expire_time.ToDatetime(tzinfo=UTC) <= now


def _opted_out(endpoint: Endpoint, answers: Answers) -> Iterator[Finding]:
    asked = obstacles.asks_consent(endpoint.channel_type, answers.purpose)
    if not asked or not addresses.normalize(endpoint.channel_type, endpoint.address):
        return
    since = answers.opt_outs[0].change_time if answers.opt_outs else None
    heard = f"{endpoint.address} is on {_lists(answers)}"
    if isinstance(answers.is_opted_out, Unanswered):
        words = f"{answers.is_opted_out.words}, and without an answer nothing is sent"
        if answers.opt_outs:
            yield Finding(Reason.OPTED_OUT, f"{heard}, as last heard; {words}", since)
        else:
            yield Finding(Reason.OPTED_OUT, words, is_known=False)
    elif answers.is_opted_out:
        yield Finding(Reason.OPTED_OUT, heard, since)


def _lists(answers: Answers) -> str:
    """The opt-out lists somebody is on, with times and the numbers they wrote to."""
    if not answers.opt_outs:
        return "an opt-out list; audience has not heard yet since when"
    return ", ".join(
        f"opt-out list {one.opt_out_list} since {one.change_time:%Y-%m-%dT%H:%M:%SZ}"
        f"{f' by {one.origination_identity}' if one.origination_identity else ''}"
        for one in answers.opt_outs
    )


def _message(finding: Finding) -> service_pb.ExplainEligibilityResponse.Obstacle:
    return service_pb.ExplainEligibilityResponse.Obstacle(
        reason=Reason.Name(finding.reason),
        detail=finding.detail,
        since_time=timestamp(finding.since) if finding.since else None,
    )
