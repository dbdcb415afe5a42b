"""A carrier that throttles, loses answers and drops links costs no message and sends none twice."""

from collections import Counter

import pytest
from heliograph.campaign.v1.run_service_pb2 import GetRunRequest
from heliograph.messaging.v1.message_pb2 import Message
from mesh.testkit.waiting import eventually
from mesh_shop import SETTLE_SECONDS_OF_PATIENCE

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]


async def test_a_throttling_carrier_costs_no_message(shop, tmp_path):
    await shop.import_phones(300, tmp_path)
    await shop.carrier.behave(submits_per_second_max=300)

    run = await shop.finished(await shop.launch("slowly", "Hello"))

    assert await shop.unknown(run) == 0


async def test_receipts_settle_what_lost_answers_and_links_hid(shop, tmp_path):
    await shop.import_phones(600, tmp_path)
    await shop.settle_within(SETTLE_SECONDS_OF_PATIENCE)
    await shop.carrier.behave(unanswered_share=0.04, link_lost_share=0.01)

    run = await shop.launch("hidden", "Hello")
    await shop.reached(0.5)
    # Whatever still waits for an answer learns that none will come.
    await shop.carrier.behave(unanswered_share=0.0, link_lost_share=0.0)
    await shop.carrier.call("POST", "/drop-links", {})
    await shop.finished(run)

    await eventually(lambda: _all_taken_are_delivered(shop, run))
    await shop.unknown(await shop.client.runs.GetRun(GetRunRequest(name=run)))
    log = [entry["kind"] async for entry in shop.carrier.log(after=shop.log_begin)]
    kinds = Counter(log)
    assert kinds["unanswered"] > 0
    assert kinds["bind"] > 1


async def _all_taken_are_delivered(shop, run):
    """Whether the ledger knows of everything that the carrier has taken."""
    found = await shop.client.runs.GetRun(GetRunRequest(name=run))
    delivered = sum(row.count for row in found.counts if row.state == Message.DELIVERED)
    return delivered == len(await shop.texts())
