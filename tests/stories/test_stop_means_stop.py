"""Nothing follows the confirmation of a STOP, also not from batches in flight."""

import asyncio
import re

import pytest
from heliograph.campaign.v1.run_pb2 import Run
from localmesh.demo.outcomes import after_stop
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

CONFIRMED = re.compile("unsubscribed|opted out|no more messages", re.IGNORECASE)


async def test_stop_during_a_running_campaign(shop, tmp_path):
    await shop.import_phones(4_000, tmp_path)
    await shop.carrier.behave(submits_per_second_max=1_500)
    stopping = shop.phones[::40]

    run = await shop.launch("first", "Hello")
    second = await shop.launch("second", "Hello again")
    await eventually(shop.texts, timeout_seconds=30)
    for start in range(0, len(stopping), 10):
        await shop.say(stopping[start : start + 10], "STOP")
    ended = [await shop.finished(run), await shop.finished(second)]

    async def confirmations():
        texts = await shop.texts()
        return {e["destination"] for e in texts if CONFIRMED.search(e["text"])} >= set(stopping)

    await eventually(confirmations, timeout_seconds=60)
    texts = await shop.texts()
    confirmation = next(entry["text"] for entry in texts if CONFIRMED.search(entry["text"]))
    assert [found.state for found in ended] == [Run.COMPLETED, Run.COMPLETED]
    assert after_stop(texts, confirmation, welcome="", help_text="") == []
    confirmed = [entry["destination"] for entry in texts if entry["text"] == confirmation]
    assert sorted(confirmed) == sorted(stopping)


async def test_a_stop_while_twoway_is_dead_is_not_lost(shop, tmp_path):
    await shop.import_phones(20, tmp_path)
    killing = asyncio.create_task(shop.mesh.kill("twoway"))

    await shop.say(shop.phones[:10], "Stop.")
    await killing

    async def confirmations():
        return {entry["destination"] for entry in await shop.texts()} == set(shop.phones[:10])

    await eventually(confirmations, timeout_seconds=60)
    run = await shop.finished(await shop.launch("after", "Hello"))
    hellos = [entry["destination"] for entry in await shop.texts() if entry["text"] == "Hello"]
    assert run.state == Run.COMPLETED
    assert sorted(hellos) == sorted(shop.phones[10:])
