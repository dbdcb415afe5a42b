"""The mesh as a whole, as processes, for the stories: one for all of them, on one worker."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_filter_pb2 as filters
from heliograph.audience.v1.application_pb2 import Application
from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import CreateSegmentRequest
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.campaign_service_pb2 import (
    CreateCampaignRequest,
    LaunchCampaignRequest,
)
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.client import Client
from heliograph.connection import Connection, local
from heliograph.imports import followed, upload
from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.channel_service_pb2 import UpdateChannelRequest
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import OUTCOME_UNKNOWN
from heliograph.runs import ended, latest
from localmesh import tenant
from localmesh.peers.remote import RemotePeer
from localmesh.supervisor import LocalMesh
from mesh.testkit.waiting import eventually

NUMBERS = itertools.count(100)
"""Each story has a number of its own, so that what the carrier wrote down tells them apart."""

SETTINGS = {
    # Runs of a few hundred members are to be under way for as long as a large one's.
    "page_size": "100",
    "queued_batches_max": "4",
    # A dead replica's work is taken over soon.
    "lease_seconds": "3",
    "batch_ack_wait_seconds": "2",
}
SETTLE_WINDOW_SECONDS = 3
PACE_SECONDS = 0.1
"""A carrier that takes so long for each window of 64 messages."""


@dataclass
class Shop:
    """An application of one story, connected to the peers, with an audience of phones."""

    mesh: LocalMesh
    client: Client
    connection: Connection
    app: str
    number: str
    log_begin: int
    messages_before: int
    phones: list[str] = field(default_factory=list)

    @property
    def parent(self) -> str:
        return f"applications/{self.app}"

    @property
    def carrier(self) -> RemotePeer:
        return self.mesh.peer("carrier")

    async def texts(self) -> list[dict[str, Any]]:
        """What the carrier has accepted from this shop's number, in its order."""
        log = self.carrier.log(after=self.log_begin, kind="message")
        return [entry async for entry in log if entry["source"] == self.number]

    async def reached(self, share: float) -> None:
        """Until the carrier has accepted messages for a share of the phones."""

        async def are_reached() -> bool:
            count = (await self.carrier.count()).get("message", 0) - self.messages_before
            return count >= share * len(self.phones)

        await eventually(are_reached, timeout_seconds=60)

    async def say(self, phones: Iterable[str], text: str) -> None:
        """Let phones say something to the shop."""
        said = [{"source": phone, "destination": self.number, "text": text} for phone in phones]
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

    async def launch(self, campaign_id: str, text: str, **fields: Any) -> str:
        """Launch an SMS campaign to everybody; its run."""
        campaign = Campaign(segment=f"{self.parent}/segments/everybody", **fields)
        campaign.treatments.add(treatment="a").content.sms.body = text
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
        counts: Counter[tuple[int, int]] = Counter()
        for row in run.counts:
            counts[row.state, row.reason] += row.count
        unknown = counts[Message.FAILED, OUTCOME_UNKNOWN]
        sent = counts[Message.SENT, 0] + counts[Message.DELIVERED, 0]
        assert run.state == Run.COMPLETED
        assert sent + unknown == sum(counts.values()) == run.members == len(self.phones), counts
        assert [phone for phone, times in texts.items() if times > 1] == []
        assert sent <= len(texts) <= sent + unknown, counts
        return unknown


@pytest.fixture(scope="session")
async def local_mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalMesh]:
    """The whole mesh on this machine."""
    folder = tmp_path_factory.mktemp("mesh")
    async with LocalMesh(folder, durable=False, settings=SETTINGS) as mesh:
        yield mesh


@pytest.fixture(scope="session")
async def client(local_mesh: LocalMesh) -> AsyncIterator[Client]:
    """The public client, as an administrator."""
    async with Client(local(local_mesh.layout.root)) as client:
        yield client


@pytest.fixture
async def shop(local_mesh: LocalMesh, client: Client) -> AsyncIterator[Shop]:
    """A new application with channels and a number of its own."""
    serial = next(NUMBERS)
    seen = await local_mesh.peer("carrier").count()
    shop = Shop(
        mesh=local_mesh,
        client=client,
        connection=client.connection,
        app=f"shop-{serial}",
        number=f"+12125550{serial:03}",
        log_begin=sum(seen.values()),
        messages_before=seen.get("message", 0),
    )
    await client.applications.CreateApplication(
        CreateApplicationRequest(application_id=shop.app, application=Application())
    )
    await tenant.connect(client, shop.parent, local_mesh.description.providers, shop.number)
    sms = Channel(name=f"{shop.parent}/channels/sms")
    sms.settle_window.seconds = SETTLE_WINDOW_SECONDS
    await client.channels.UpdateChannel(UpdateChannelRequest(channel=sms))
    yield shop
    await local_mesh.peer("carrier").behave_normally()


def endpoint(parent: str, identity: str, **fields: Any) -> Endpoint:
    """An endpoint by id."""
    return Endpoint(name=f"{parent}/endpoints/{identity}", **fields)
