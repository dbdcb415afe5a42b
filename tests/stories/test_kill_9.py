"""`kill -9` of any process at any moment: no message twice, none lost."""

import asyncio
import random
from collections import Counter

import pytest
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import OUTCOME_UNKNOWN
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

MEMBERS = 3_000


@pytest.mark.parametrize("service", ["audience", "campaign", "messaging", "analytics", "twoway"])
async def test_a_service_killed_again_and_again_during_a_campaign(shop, tmp_path, service):
    await shop.import_phones(MEMBERS, tmp_path)
    await shop.carrier.behave(submits_per_second_max=1_000)
    moments = random.Random(service)

    run = await shop.launch("killed", "Hello")
    for _ in range(3):
        await _reached(shop, moments.randint(1, 800))
        await shop.mesh.kill(service)
    finished = await asyncio.wait_for(shop.finished(run), timeout=120)

    await _adds_up(shop, finished)


async def _reached(shop, more):
    """Until the carrier has so many more messages, or all."""
    goal = min(len(await shop.texts()) + more, MEMBERS)

    async def enough():
        return len(await shop.texts()) >= goal

    await eventually(enough, timeout_seconds=60)


async def _adds_up(shop, run):
    texts = Counter(entry["destination"] for entry in await shop.texts())
    counts = Counter()
    for row in run.counts:
        counts[row.state, row.reason] += row.count
    unknown = counts[Message.FAILED, OUTCOME_UNKNOWN]
    sent = counts[Message.SENT, 0] + counts[Message.DELIVERED, 0]

    assert run.state == Run.COMPLETED
    assert sum(counts.values()) == MEMBERS
    assert sent + unknown == MEMBERS, counts
    assert {phone for phone, times in texts.items() if times > 1} == set()
    # What is not known may or may not have reached the carrier; all else must have.
    assert sent <= len(texts) <= sent + unknown
