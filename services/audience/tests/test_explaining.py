"""From what is known about an endpoint to every reason against a message to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from audience.consent.store import OptOut
from audience.eligibility.answers import Answers, Limits, Plan, Unanswered
from audience.eligibility.explaining import explanation
from heliograph.audience.v1.channel_type_pb2 import EMAIL, PUSH_FCM, SMS
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.content_pb2 import MessageContent
from heliograph.messaging.v1.message_service_pb2 import CheckCapsResponse
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.messaging.v1.suppression_pb2 import Suppression
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANN = "+14155550101"
AWAY = Unanswered("it does not answer")
OPT_OUT = OptOut("default", NOON, "+12065550100")
SUPPRESSED = Suppression(address=ANN, cause=Suppression.HARD_BOUNCE, note="unknown number")
OVER = Suppression(address=ANN)
OVER.expire_time.FromDatetime(NOON - timedelta(seconds=1))

CAPS = SendBatch.Caps(daily_max=2, total_max=1)
USED_UP = CheckCapsResponse.Usage(
    daily_count=2, total_count=1, reasons=["CAMPAIGN_CAP", "DAILY_CAP"]
)
QUIET = SendBatch.QuietTime(start="12:00", end="14:00")
BERLIN = {"estimated_time_zone": {"time_zone": "Europe/Berlin", "source": "PHONE_NUMBER"}}
NEW_YORK = {"demographic": {"timezone": "America/New_York"}}
DEFAULT = {"missing_time_zone_policy": "USE_DEFAULT", "default_time_zone": "Europe/Berlin"}
REACHABLE = Answers(
    plan=None,
    is_member=True,
    originations={SMS: "+12065550100"},
    suppressions=(),
    is_opted_out=False,
    now=NOON,
)
ENDPOINT = Endpoint(channel_type=SMS, address=ANN, status=Endpoint.ACTIVE, opt_out=Endpoint.NONE)


REFUSES = {"refused_topics": ["sale"]}


def plan(treatment: str = "a", content: Any = None, topic: str = "") -> Plan:
    said = MessageContent()
    said.sms.body = "Hello"
    campaign = Campaign(segment="applications/shop/segments/all", holdout_percent=10, topic=topic)
    return Plan(campaign, treatment, said if content is None else content)


def reasons(endpoint: Endpoint, answers: Answers) -> tuple[set[str], set[str]]:
    told = explanation(endpoint, answers)
    assert told.eligible == (not told.obstacles and not told.unknowns)
    assert all(one.detail for one in (*told.obstacles, *told.unknowns))
    return {one.reason for one in told.obstacles}, {one.reason for one in told.unknowns}


@pytest.mark.parametrize(
    ("fields", "answers", "obstacles", "unknowns"),
    [
        ({}, {}, set(), set()),
        ({}, {"plan": plan()}, set(), set()),
        ({"status": Endpoint.INACTIVE}, {}, {"ENDPOINT_INACTIVE"}, set()),
        ({"opt_out": Endpoint.ALL}, {}, {"ENDPOINT_OPTED_OUT"}, set()),
        (REFUSES, {}, set(), set()),
        (REFUSES, {"plan": plan()}, set(), set()),
        (REFUSES, {"plan": plan(topic="news")}, set(), set()),
        (REFUSES, {"plan": plan(topic="sale")}, {"TOPIC_REFUSED"}, set()),
        (REFUSES, {"plan": AWAY}, set(),
         {"NOT_IN_SEGMENT", "HOLDOUT", "CHANNEL_MISMATCH", "TOPIC_REFUSED"}),
        ({"address": ""}, {}, {"MISSING_ADDRESS"}, set()),
        ({"address": "ann"}, {}, {"INVALID_ADDRESS"}, set()),
        ({}, {"originations": {EMAIL: ""}}, {"CHANNEL_NOT_CONFIGURED"}, set()),
        ({}, {"originations": AWAY}, set(), {"CHANNEL_NOT_CONFIGURED"}),
        ({}, {"is_opted_out": True}, {"OPTED_OUT"}, set()),
        ({}, {"is_opted_out": AWAY}, set(), {"OPTED_OUT"}),
        ({}, {"is_opted_out": AWAY, "opt_outs": [OPT_OUT]}, {"OPTED_OUT"}, set()),
        # On a list, but not on that of the number it would come from.
        ({}, {"is_opted_out": False, "opt_outs": [OPT_OUT]}, set(), set()),
        ({"channel_type": PUSH_FCM}, {"originations": {PUSH_FCM: ""}, "is_opted_out": AWAY}, set(),
         set()),
        ({}, {"suppressions": [SUPPRESSED]}, {"SUPPRESSED"}, set()),
        ({}, {"suppressions": [OVER]}, set(), set()),
        ({}, {"suppressions": [Suppression(address=ANN, channel_type=EMAIL)]}, set(), set()),
        ({}, {"suppressions": AWAY}, set(), {"SUPPRESSED"}),
        ({}, {"plan": plan(""), }, {"HOLDOUT"}, set()),
        ({}, {"plan": plan("a", MessageContent())}, {"CHANNEL_MISMATCH"}, set()),
        ({}, {"plan": plan("a", AWAY)}, set(), {"CHANNEL_MISMATCH"}),
        ({}, {"plan": plan(), "is_member": False}, {"NOT_IN_SEGMENT"}, set()),
        ({}, {"plan": plan(), "is_member": AWAY}, set(), {"NOT_IN_SEGMENT"}),
        ({}, {"plan": AWAY}, set(), {"NOT_IN_SEGMENT", "HOLDOUT", "CHANNEL_MISMATCH"}),
        ({}, {"limits": Limits(caps=CAPS)}, set(), set()),
        ({}, {"limits": Limits(caps=CAPS, usage=USED_UP)}, {"DAILY_CAP", "CAMPAIGN_CAP"}, set()),
        ({}, {"limits": Limits(caps=CAPS, usage=AWAY)}, set(), {"DAILY_CAP", "CAMPAIGN_CAP"}),
        ({}, {"limits": Limits(QUIET)}, {"MISSING_TIMEZONE"}, set()),
        (BERLIN, {"limits": Limits(QUIET)}, {"QUIET_TIME"}, set()),
        (NEW_YORK, {"limits": Limits(QUIET)}, set(), set()),
    ],
)  # fmt: skip
def test_every_reason_is_said(
    fields: dict[str, Any], answers: dict[str, Any], obstacles: set[str], unknowns: set[str]
) -> None:
    endpoint = Endpoint()
    endpoint.CopyFrom(ENDPOINT)
    endpoint.MergeFrom(Endpoint(**fields))
    for name, value in fields.items():
        if not isinstance(value, (dict, list)):
            setattr(endpoint, name, value)

    assert reasons(endpoint, replace(REACHABLE, **answers)) == (obstacles, unknowns)


@given(
    inactive=st.booleans(),
    opted_out=st.booleans(),
    stopped=st.sampled_from([True, False, AWAY]),
    suppressed=st.sampled_from([(), [SUPPRESSED], AWAY]),
    originations=st.sampled_from([{SMS: ""}, {}, AWAY]),
    member=st.sampled_from([True, False, AWAY]),
    planned=st.sampled_from([None, plan(), plan(""), plan("a", MessageContent()), AWAY]),
)
def test_no_reason_hides_another(
    inactive: bool,
    opted_out: bool,
    stopped: Any,
    suppressed: Any,
    originations: Any,
    member: Any,
    planned: Any,
) -> None:
    endpoint = Endpoint(
        channel_type=SMS,
        address=ANN,
        status=Endpoint.INACTIVE if inactive else Endpoint.ACTIVE,
        opt_out=Endpoint.ALL if opted_out else Endpoint.NONE,
    )
    answers = Answers(
        plan=planned,
        is_member=member,
        originations=originations,
        suppressions=suppressed,
        is_opted_out=stopped,
        now=NOON,
    )

    known, unknown = reasons(endpoint, answers)

    assert ("ENDPOINT_INACTIVE" in known) == inactive
    assert ("ENDPOINT_OPTED_OUT" in known) == opted_out
    for reason, answer, holds in (
        ("OPTED_OUT", stopped, stopped is True),
        ("SUPPRESSED", suppressed, bool(suppressed)),
        ("CHANNEL_NOT_CONFIGURED", originations, originations == {}),
        ("NOT_IN_SEGMENT", member if planned and planned is not AWAY else None, member is False),
    ):
        if answer is not None:
            assert (reason in unknown) == (answer is AWAY), reason
            assert (reason in known) == (holds and answer is not AWAY), reason


def test_a_stop_is_told_with_its_number_list_and_time() -> None:
    answers = replace(REACHABLE, is_opted_out=True, opt_outs=[OPT_OUT])

    (told,) = explanation(ENDPOINT, answers).obstacles

    assert told.reason == "OPTED_OUT"
    assert told.since_time.ToDatetime(tzinfo=UTC) == NOON
    assert told.detail == (
        f"{ANN} is on opt-out list default since 2026-11-21T12:00:00Z by +12065550100"
    )


def test_a_stop_that_was_not_heard_of_yet_is_told_too() -> None:
    (told,) = explanation(ENDPOINT, replace(REACHABLE, is_opted_out=True)).obstacles

    assert (told.reason, told.HasField("since_time")) == ("OPTED_OUT", False)


@pytest.mark.parametrize(
    ("fields", "policy", "words"),
    [
        (BERLIN, {}, "it is 13:00 in Europe/Berlin, its zone as PHONE_NUMBER tells it"),
        ({"demographic": {"timezone": "Africa/Cairo"}}, {}, "14:00 in Africa/Cairo, its stated"),
        ({}, DEFAULT, "it is 13:00 in Europe/Berlin, the application's default zone, and quiet"),
    ],
)
def test_a_quiet_time_is_told_with_the_clock_where_it_is(
    fields: dict[str, Any], policy: dict[str, Any], words: str
) -> None:
    endpoint = Endpoint(**fields)
    endpoint.MergeFrom(ENDPOINT)
    quiet_time = SendBatch.QuietTime(start="12:00", end="14:00", **policy)

    (told,) = explanation(endpoint, replace(REACHABLE, limits=Limits(quiet_time))).obstacles

    assert words in told.detail
    assert told.detail.endswith("quiet from 12:00 to 14:00")
    quiet_time.hold = True
    (told,) = explanation(endpoint, replace(REACHABLE, limits=Limits(quiet_time))).obstacles
    assert "; the message waits until 2026-11-21T1" in told.detail


def test_caps_are_told_with_what_was_had() -> None:
    told = explanation(ENDPOINT, replace(REACHABLE, limits=Limits(caps=CAPS, usage=USED_UP)))

    assert [one.detail for one in told.obstacles] == [
        "it has had 1 of at most 1 messages of this campaign",
        "it has had 2 of at most 2 messages of campaigns in 24 hours",
    ]
