"""An application of one story: its audience, its campaigns, and what the carrier saw of it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heliograph.analytics.v1.report_service_pb2 import GetCampaignReportRequest
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_filter_pb2 as filters
from heliograph.audience.v1.application_pb2 import Application
from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import CreateSegmentRequest
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.campaign_service_pb2 import (
    CreateCampaignRequest,
    LaunchCampaignRequest,
)
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.campaign.v1.run_service_pb2 import GetRunRequest
from heliograph.client import Client
from heliograph.imports import followed, upload
from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.channel_service_pb2 import UpdateChannelRequest
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import OUTCOME_UNKNOWN
from heliograph.runs import ended, latest
from localmesh import tenant
from localmesh.peers.remote import RemotePeer
from mesh.testkit.waiting import eventually

SETTLE_SECONDS = 3
SETTLE_SECONDS_OF_PATIENCE = 20
"""However busy the machine is, the receipt is there by then."""


@dataclass
class Shop:
    """An application of one story, connected to the peers, with an audience of phones."""

    client: Client
    app: str
    number: str
    log_begin: int = 0
    messages_before: int = 0
    phones: list[str] = field(default_factory=list)

    @property
    def parent(self) -> str:
        return f"applications/{self.app}"

    @property
    def carrier(self) -> RemotePeer:
        return RemotePeer(self.client.connection.peers["carrier"])

    async def open(self) -> None:
        """Create the application and connect it to the peers."""
        client = self.client
        seen = await self.carrier.count()
        self.log_begin, self.messages_before = sum(seen.values()), seen.get("message", 0)
        await client.applications.CreateApplication(
            CreateApplicationRequest(application_id=self.app, application=Application())
        )
        await tenant.connect(client, self.parent, client.connection.providers, self.number)
        await self.settle_within(SETTLE_SECONDS)

    async def settle_within(self, seconds: int) -> None:
        """How long a message waits for the receipt that tells whether it was sent."""
        sms = Channel(name=f"{self.parent}/channels/sms")
        sms.settle_window.seconds = seconds
        await self.client.channels.UpdateChannel(UpdateChannelRequest(channel=sms))

    async def texts(self) -> list[dict[str, Any]]:
        """What the carrier has accepted from this shop's number, in its order."""
        log = self.carrier.log(after=self.log_begin, kind="message")
        return [entry async for entry in log if entry["source"] == self.number]

    async def reached(self, share: float) -> None:
        """Until the carrier has accepted messages for a share of the phones."""

        async def are_reached() -> bool:
            count = (await self.carrier.count()).get("message", 0) - self.messages_before
            return count >= share * len(self.phones)

        await eventually(are_reached)

    async def say(self, phones: Iterable[str], text: str, to: str = "") -> None:
        """Let phones say something to the shop, or another of its numbers."""
        number = to or self.number
        said = [{"source": phone, "destination": number, "text": text} for phone in phones]
        await self.carrier.call("POST", "/inbound", {"messages": said})

    async def import_phones(self, count: int, folder: Path) -> None:
        """Import so many phones, and make a segment of everybody."""
        first = 1_000_000 * int(self.number[-3:])
        self.phones = [
            f"+1212{2_000_000 + (first + number) % 7_000_000:07}" for number in range(count)
        ]
        path = folder / "phones.jsonl"
        path.write_text(
            "".join(
                json.dumps({"Id": f"e{number:06}", "ChannelType": "SMS", "Address": phone}) + "\n"
                for number, phone in enumerate(self.phones)
            )
        )
        job = await followed(self.client, await upload(self.client, self.parent, path))
        assert job.imported_count == count, job
        everybody = filters.SegmentFilter(
            channel=filters.ChannelCondition(
                operator=filters.INCLUSIVE, channel_types=[channels.SMS]
            )
        )
        await self.client.segments.CreateSegment(
            CreateSegmentRequest(
                parent=self.parent, segment_id="everybody", segment=Segment(filter=everybody)
            )
        )

    async def launch(
        self,
        campaign_id: str,
        text: str,
        segment: str = "everybody",
        origination: str = "",
        **fields: Any,
    ) -> str:
        """Launch an SMS campaign to a segment; its run."""
        campaign = Campaign(segment=f"{self.parent}/segments/{segment}", **fields)
        content = campaign.treatments.add(treatment="a").content
        content.sms.body, content.sms.origination_identity = text, origination
        await self.client.campaigns.CreateCampaign(
            CreateCampaignRequest(parent=self.parent, campaign_id=campaign_id, campaign=campaign)
        )
        name = f"{self.parent}/campaigns/{campaign_id}"
        await self.client.campaigns.LaunchCampaign(LaunchCampaignRequest(name=name))
        return await latest(self.client, name)

    async def finished(self, run: str) -> Run:
        """The run once it has ended."""
        return await asyncio.wait_for(ended(self.client, run), timeout=120)

    async def unknown(self, run: Run) -> int:
        """Checks a run to every phone against the carrier's log: each has one end, nobody has got
        anything twice. How many there are of whom nobody knows whether they got it."""
        texts = Counter(entry["destination"] for entry in await self.texts())
        counts = tally(run)
        unknown = counts[Message.FAILED, OUTCOME_UNKNOWN]
        sent = counts[Message.SENT, 0] + counts[Message.DELIVERED, 0]
        assert run.state == Run.COMPLETED
        assert sent + unknown == sum(counts.values()) == run.members == len(self.phones), counts
        assert [phone for phone, times in texts.items() if times > 1] == []
        assert sent <= len(texts) <= sent + unknown, counts
        return unknown

    async def reported(self, run: str) -> None:
        """Until every receipt is in, and the report says of a campaign what the ledger does."""
        await eventually(lambda: self._is_reported(run))

    async def _is_reported(self, name: str) -> bool:
        run = await self.client.runs.GetRun(GetRunRequest(name=name))
        request = GetCampaignReportRequest(name=name.partition("/runs/")[0])
        report = await self.client.reports.GetCampaignReport(request)
        counts, total = tally(run), report.total
        delivered, unknown = counts[Message.DELIVERED, 0], counts[Message.FAILED, OUTCOME_UNKNOWN]
        skipped = sum(number for (state, _), number in counts.items() if state == Message.SKIPPED)
        said = (total.targeted, total.sent, total.delivered, total.failed, total.skipped)
        meant = (run.members, delivered, delivered, unknown, skipped)
        assert said == meant, f"reported {said}, meant {meant}"
        return True


def tally(run: Run) -> Counter[tuple[int, int]]:
    """How many members there are of each state and reason."""
    counts: Counter[tuple[int, int]] = Counter()
    for row in run.counts:
        counts[row.state, row.reason] += row.count
    return counts
