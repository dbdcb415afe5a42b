"""Import → segment → campaign → carrier → receipts → report."""

from collections import Counter

import pytest
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1 import message_service_pb2 as messages_pb
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import HOLDOUT
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]


async def test_every_member_is_reached_or_has_a_reason(shop, tmp_path):
    await shop.import_phones(2_000, tmp_path)

    run = await shop.finished(await shop.launch("hello", "Hello {{Id}}", holdout_percent=10))

    counts = {(row.state, row.reason): row.count for row in run.counts}
    held_out = counts[Message.SKIPPED, HOLDOUT]
    texts = Counter(entry["destination"] for entry in await shop.texts())
    assert run.state == Run.COMPLETED
    assert sum(counts.values()) == run.members == 2_000
    assert held_out == pytest.approx(200, abs=60)
    assert len(texts) == 2_000 - held_out
    assert set(texts.values()) == {1}
    await shop.reported(run.name)


async def test_the_ledger_says_what_a_person_got_and_why_not(shop, tmp_path):
    await shop.import_phones(3, tmp_path)
    await shop.say([shop.phones[0]], "STOP")

    async def confirmed():
        return [entry for entry in await shop.texts() if entry["destination"] == shop.phones[0]]

    await eventually(confirmed)
    await shop.finished(await shop.launch("hello", "Hello"))

    found = await shop.client.messages.ListMessages(
        messages_pb.ListMessagesRequest(
            parent=shop.parent, endpoint=f"{shop.parent}/endpoints/e000000"
        )
    )
    assert [Message.State.Name(message.state) for message in found.messages] == ["SKIPPED"]
    assert found.messages[0].reason == 2  # OPTED_OUT
