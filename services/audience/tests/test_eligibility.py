"""Why somebody gets nothing, through the front door, asked of neighbours by their real contract."""

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from audience.consent.hearing import Hearing
from audience_consent import delivery, out
from audience_neighbours import NUMBER, Town
from audience_room import SHOP, Room, name
from heliograph.audience.v1 import endpoint_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from heliograph.audience.v1.application_service_pb2 import UpdateApplicationRequest
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL
from heliograph.messaging.v1.message_service_pb2 import CheckCapsResponse
from heliograph.messaging.v1.suppression_pb2 import Suppression
from heliograph.messaging.v1.template_pb2 import TemplateContent
from mesh.errors import InvalidArgument, NotFound
from mesh.testkit.rpc import RpcConnect, RpcServe

ANN, SMS = "+14155550101", 1
HELLO = f"{SHOP}/campaigns/hello"
EVERYBODY = {"group": {"operator": "ALL"}}
NOBODY_ELSE = {"user": {"operator": "INCLUSIVE", "user_ids": ["somebody"]}}


@pytest.fixture
def town() -> Town:
    """What campaign, messaging and twoway know."""
    return Town()


@pytest_asyncio.fixture(loop_scope="session")
async def asked(
    town: Town,
    database_url: str,
    sessions: Any,
    reading: Any,
    rpc_serve: RpcServe,
    rpc_connect: RpcConnect,
    tmp_path: Path,
) -> Room:
    """The room between its neighbours, with one phone."""
    address = await rpc_serve(town.served())
    room = Room(
        database_url, sessions, reading, rpc_serve, rpc_connect, tmp_path, town_address=address
    )
    await room.open()
    await room.write("ann", channel_type=SMS, address=ANN)
    return room


async def explain(room: Room, campaign: str = "") -> pb.ExplainEligibilityResponse:
    answer = await room.endpoints.ExplainEligibility(
        pb.ExplainEligibilityRequest(name=name("ann"), campaign=campaign)
    )
    assert isinstance(answer, pb.ExplainEligibilityResponse)
    return answer


def reasons(told: pb.ExplainEligibilityResponse) -> list[str]:
    return [one.reason for one in told.obstacles]


async def campaign(room: Room, town: Town, question: Any = EVERYBODY, **fields: Any) -> None:
    """A campaign `hello` by SMS to a segment."""
    segment = await room.create_segment(question)
    town.campaigns[HELLO] = Campaign(
        name=HELLO,
        segment=segment.name,
        **{"treatments": [{"treatment": "a", "content": {"sms": {"body": "Hello"}}}], **fields},
    )


async def test_who_has_nothing_against_them_is_eligible(asked: Room, town: Town) -> None:
    await campaign(asked, town)

    for told in (await explain(asked), await explain(asked, HELLO)):
        assert (told.eligible, told.channel_type) == (True, SMS)
        assert not told.obstacles
        assert not told.unknowns
    assert (await explain(asked, HELLO)).treatment == "a"


async def test_a_stop_is_explained_with_its_number_and_time(asked: Room, town: Town) -> None:
    town.opted_out.add((NUMBER, ANN))
    await Hearing(asked.sessions).handle([delivery(out(ANN, 1))])

    (told,) = (await explain(asked)).obstacles

    assert told.reason == "OPTED_OUT"
    assert told.detail.startswith(f"{ANN} is on opt-out list default since 2026-11-21T12:00:01Z")
    assert told.since_time.ToJsonString() == "2026-11-21T12:00:01Z"


async def test_a_stop_counts_for_the_list_of_the_number_it_would_come_from(
    asked: Room, town: Town
) -> None:
    town.opted_out.add(("+12065550200", ANN))
    await campaign(
        asked,
        town,
        treatments=[
            {
                "treatment": "a",
                "content": {"sms": {"body": "Hi", "origination_identity": "+12065550200"}},
            }
        ],
    )

    assert (await explain(asked)).eligible
    assert reasons(await explain(asked, HELLO)) == ["OPTED_OUT"]


async def test_all_that_is_wrong_is_said_at_once(asked: Room, town: Town) -> None:
    town.opted_out.add((NUMBER, ANN))
    town.suppressions.append(Suppression(address=ANN, cause=Suppression.ERASURE))
    town.channels[0].enabled = False
    await asked.write(
        "ann", opt_out=endpoint_pb2.Endpoint.ALL, status=endpoint_pb2.Endpoint.INACTIVE
    )
    email = [{"treatment": "a", "content": {"email": {"subject": "Hi", "text_body": "Hi"}}}]
    await campaign(asked, town, NOBODY_ELSE, treatments=email)
    # Without a channel there is no number, and then every list counts.
    town.opted_out.add(("", ANN))

    assert set(reasons(await explain(asked, HELLO))) == {
        "NOT_IN_SEGMENT",
        "ENDPOINT_INACTIVE",
        "ENDPOINT_OPTED_OUT",
        "CHANNEL_MISMATCH",
        "CHANNEL_NOT_CONFIGURED",
        "SUPPRESSED",
        "OPTED_OUT",
    }


async def test_a_refused_topic_is_told_of_the_campaign_that_has_it(asked: Room, town: Town) -> None:
    await asked.write("ann", refused_topics=["sale"])
    await campaign(asked, town, topic="sale")

    (told,) = (await explain(asked, HELLO)).obstacles

    assert (told.reason, told.detail) == ("TOPIC_REFUSED", "it refuses the topic 'sale'")
    assert (await explain(asked)).eligible
    town.campaigns[HELLO].topic = "news"
    assert (await explain(asked, HELLO)).eligible


async def test_the_hold_out_is_that_of_the_run(asked: Room, town: Town) -> None:
    await campaign(asked, town, holdout_percent=100)

    told = await explain(asked, HELLO)

    assert reasons(told) == ["HOLDOUT"]
    assert "100 %" in told.obstacles[0].detail
    assert told.treatment == ""


async def test_what_a_stored_template_says_counts(asked: Room, town: Town) -> None:
    text, mail = f"{SHOP}/templates/text", f"{SHOP}/templates/mail/versions/2"
    town.templates[text] = TemplateContent(sms={"body": "Hi"})
    town.templates[mail] = TemplateContent(email={"subject": "Hi"})

    await campaign(asked, town, treatments=[{"treatment": "a", "content": {"templates": [text]}}])
    by_text = await explain(asked, HELLO)
    await campaign(asked, town, treatments=[{"treatment": "a", "content": {"templates": [mail]}}])
    by_mail = await explain(asked, HELLO)

    assert by_text.eligible
    assert reasons(by_mail) == ["CHANNEL_MISMATCH"]


async def test_who_is_away_leaves_what_they_know_unknown(room: Room) -> None:
    await room.write("ann", channel_type=SMS, address=ANN)

    told = await explain(room, HELLO)

    assert not told.eligible
    assert not told.obstacles
    assert {one.reason: one.detail for one in told.unknowns} == {
        "NOT_IN_SEGMENT": "campaign does not answer",
        "HOLDOUT": "campaign does not answer",
        "CHANNEL_MISMATCH": "campaign does not answer",
        "CHANNEL_NOT_CONFIGURED": "messaging does not answer",
        "SUPPRESSED": "messaging does not answer",
        "OPTED_OUT": "twoway does not answer, and without an answer nothing is sent",
    }


async def test_what_is_not_there_or_not_theirs_is_refused(asked: Room, town: Town) -> None:
    with pytest.raises(NotFound) as missing:
        await explain(asked, HELLO)
    with pytest.raises(InvalidArgument) as foreign:
        await explain(asked, "applications/other/campaigns/hello")
    with pytest.raises(NotFound) as nobody:
        await asked.endpoints.ExplainEligibility(pb.ExplainEligibilityRequest(name=name("nobody")))

    assert missing.value.reason == "CAMPAIGN_NOT_FOUND"
    assert foreign.value.reason == "APPLICATION_MISMATCH"
    assert nobody.value.reason == "ENDPOINT_NOT_FOUND"


async def test_limits_are_those_of_a_run_that_begins_now(asked: Room, town: Town) -> None:
    await campaign(asked, town)
    settings = {
        "quiet_time": {"start": "00:00", "end": "23:59"},
        "message_limits": {"daily_max": 2},
    }
    await asked.applications.UpdateApplication(
        UpdateApplicationRequest(application={"name": SHOP, "settings": settings})
    )
    town.usages[name("ann")] = CheckCapsResponse.Usage(daily_count=2, reasons=["DAILY_CAP"])

    assert reasons(await explain(asked, HELLO)) == ["QUIET_TIME", "DAILY_CAP"]
    assert (await explain(asked)).eligible
    town.campaigns[HELLO].purpose = TRANSACTIONAL
    assert (await explain(asked, HELLO)).eligible
