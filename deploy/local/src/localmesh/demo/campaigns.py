"""The campaigns of the demo, each held against what the carriers wrote down."""

from collections.abc import Iterable

from heliograph.campaign.v1.campaign_pb2 import Campaign, Treatment
from heliograph.campaign.v1.campaign_service_pb2 import (
    CreateCampaignRequest,
    LaunchCampaignRequest,
)
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1.content_pb2 import EmailContent, MessageContent, SmsContent
from heliograph.runs import ended, latest

from localmesh.demo import audience, outcomes
from localmesh.demo.receipts import all_reported
from localmesh.demo.world import PARENT, World
from localmesh.sample.people import EMAIL, Person

FIRST_NAME = "{{User.UserAttributes.FirstName.[0]}}"
AUTUMN = {
    "a": f"Hello {FIRST_NAME}, autumn sale in {{{{Location.City}}}}! Sample Shop. STOP to leave.",
    "b": f"{FIRST_NAME}: 20% off everything this autumn! Sample Shop. Reply STOP to leave.",
}
WINTER = f"{FIRST_NAME}, winter is here, and so is our tea. Sample Shop. Reply STOP to leave."
HOLDOUT_PERCENT = 10


async def autumn(world: World) -> list[str]:
    """An SMS campaign with two treatments and a hold-out; whom it has reached."""
    treatments = [_sms(treatment, body) for treatment, body in AUTUMN.items()]
    campaign = Campaign(
        segment=audience.PHONES, treatments=treatments, holdout_percent=HOLDOUT_PERCENT
    )
    run = await _run(world, "autumn", campaign)
    texts = [entry for entry in await world.texts() if "autumn" in entry["text"]]
    reached = [entry["destination"] for entry in texts]
    found = _close(world, "SMS campaign, two treatments, 10 % hold-out", run, reached)
    members = audience.active_phones(world)
    world.account.expect("members of the autumn campaign", found.members, len(members))
    _expect_personal(world, members, {entry["destination"]: entry["text"] for entry in texts})
    return reached


async def winter(world: World, stopped: set[str]) -> None:
    """A second SMS campaign: whoever has stopped is skipped, everyone else is reached."""
    before = [entry["sequence"] for entry in (await world.texts())[-1:]]
    campaign = Campaign(segment=audience.PHONES, treatments=[_sms("all", WINTER)])
    run = await _run(world, "winter", campaign)
    texts = await world.texts(after=before[0])
    reached = [entry["destination"] for entry in texts if "winter" in entry["text"]]
    found = _close(world, "Second SMS campaign: who said STOP is left out", run, reached)
    world.account.expect("left out because of STOP", found.skipped["OPTED_OUT"], len(stopped))
    offended = stopped & set(reached)
    world.account.expect("stopped phones reached by the second campaign", len(offended), 0)
    everyone = {person.address for person in audience.active_phones(world)}
    refused = found.skipped["PROVIDER_REFUSED"]
    world.account.expect(
        "phones reached by the second campaign",
        len(set(reached)),
        len(everyone - stopped) - refused,
    )


async def letters(world: World) -> None:
    """An e-mail campaign."""
    content = MessageContent(
        email=EmailContent(
            subject=f"{FIRST_NAME}, your letter from Sample Shop",
            text_body=f"Dear {FIRST_NAME},\nsee you in {{{{Location.City}}}}.",
            html_body=f"<p>Dear <b>{FIRST_NAME}</b>,</p><p>see you in {{{{Location.City}}}}.</p>",
        )
    )
    campaign = Campaign(
        segment=audience.MAILS, treatments=[Treatment(treatment="all", content=content)]
    )
    run = await _run(world, "letters", campaign)
    reached = [
        recipient
        async for entry in world.mailbox.log(kind="accepted")
        for recipient in entry["recipients"]
    ]
    found = _close(world, "E-mail campaign", run, reached)
    mails = sum(person.channel == EMAIL for person in world.people)
    world.account.expect("members of the e-mail campaign", found.members, mails)


async def _run(world: World, campaign_id: str, campaign: Campaign) -> Run:
    """Create, launch and follow a campaign until every receipt has come."""
    name = f"{PARENT}/campaigns/{campaign_id}"
    await world.mesh.campaigns.CreateCampaign(
        CreateCampaignRequest(parent=PARENT, campaign_id=campaign_id, campaign=campaign)
    )
    await world.mesh.campaigns.LaunchCampaign(LaunchCampaignRequest(name=name))
    run = await ended(world.mesh, await latest(world.mesh, name))
    return await all_reported(world, run)


def _close(world: World, title: str, run: Run, reached: list[str]) -> outcomes.Outcome:
    """Hold a run against the log, and add it to the account."""
    account, found = world.account, outcomes.outcome(run)
    twice = outcomes.copies(reached)
    lost = found.sent - len(set(reached))
    account.members += found.members
    account.members_by_campaign[run.name.split("/")[3]] = found.members
    account.sent += found.sent
    account.delivered += found.delivered
    account.skipped += found.skipped
    account.twice += len(twice)
    account.lost += abs(lost) + found.under_way
    account.step(
        title,
        members=found.members,
        sent=dict(found.sent_by_treatment),
        delivered=found.delivered,
        undeliverable=found.undeliverable,
        left_out=dict(found.skipped),
        in_the_carriers_log=len(reached),
        seconds=_seconds(run),
    )
    account.expect(f"{title}: run state", Run.State.Name(run.state), "COMPLETED")
    account.expect(f"{title}: messages under way", found.under_way, 0)
    account.expect(f"{title}: sent and left out", found.sent + found.skipped.total(), found.members)
    account.expect(f"{title}: recipients in the carrier's log", len(set(reached)), found.sent)
    account.expect(f"{title}: recipients that got it twice", twice, {})
    return found


def _expect_personal(
    world: World, members: Iterable[Person], text_by_phone: dict[str, str]
) -> None:
    """Every text must carry its own recipient's name, as written in the file."""
    wrong = [
        person.address
        for person in members
        if person.address in text_by_phone and person.name not in text_by_phone[person.address]
    ]
    world.account.expect("texts without their recipient's name", wrong, [])


def _sms(treatment: str, body: str) -> Treatment:
    return Treatment(treatment=treatment, content=MessageContent(sms=SmsContent(body=body)))


def _seconds(run: Run) -> float:
    return round((run.end_time.ToNanoseconds() - run.start_time.ToNanoseconds()) / 1e9, 1)
