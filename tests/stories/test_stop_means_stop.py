"""Nothing follows the confirmation of a STOP, also not from batches in flight."""

import asyncio
import re
from collections import Counter

import pytest
from heliograph.campaign.v1.run_pb2 import Run
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

CONFIRMED = re.compile("opted out")
MEMBERS, STOPPING = 1_500, 50


async def test_stop_during_running_campaigns(local_mesh, shop, tmp_path):
    confirmations = await _stop_during_two_campaigns(local_mesh, shop, tmp_path, killed=[])

    assert set(confirmations.values()) == {1}


async def test_stop_while_messaging_is_killed(local_mesh, shop, tmp_path):
    # A confirmation may come twice: it is owed, so one whose outcome nobody knows goes out again.
    await _stop_during_two_campaigns(local_mesh, shop, tmp_path, killed=["messaging", "messaging"])


async def _stop_during_two_campaigns(local_mesh, shop, folder, killed):
    """How many confirmations each phone that said STOP got; nothing else came after the first."""
    await shop.import_phones(MEMBERS, folder)
    await shop.carrier.behave(answer_delay_seconds=0.1)
    stopping = shop.phones[:: MEMBERS // STOPPING]

    runs = [await shop.launch(name, f"Hello from {name}") for name in ("first", "second")]
    await shop.reached(0.05)
    for third in range(3):
        await shop.say(stopping[third::3], "STOP")
        if third < len(killed):
            await local_mesh.kill(killed[third])
    ended = await asyncio.gather(*map(shop.finished, runs))

    async def confirmed():
        texts = await shop.texts()
        return {e["destination"] for e in texts if CONFIRMED.search(e["text"])} == set(stopping)

    await eventually(confirmed)
    assert [run.state for run in ended] == [Run.COMPLETED, Run.COMPLETED]
    texts = await shop.texts()
    assert [entry for entry in _after_confirmation(texts) if not _confirms(entry)] == []
    return Counter(entry["destination"] for entry in texts if _confirms(entry))


def _confirms(entry):
    return CONFIRMED.search(entry["text"])


def _after_confirmation(texts):
    told = set()
    for entry in texts:
        if entry["destination"] in told:
            yield entry
        if _confirms(entry):
            told.add(entry["destination"])


async def test_a_stop_while_twoway_is_dead_is_not_lost(local_mesh, shop, tmp_path):
    await shop.import_phones(20, tmp_path)
    killing = asyncio.create_task(local_mesh.kill("twoway"))

    await shop.say(shop.phones[:10], "Stop.")
    await killing

    async def confirmations():
        return {entry["destination"] for entry in await shop.texts()} == set(shop.phones[:10])

    await eventually(confirmations)
    run = await shop.finished(await shop.launch("after", "Hello"))
    hellos = [entry["destination"] for entry in await shop.texts() if entry["text"] == "Hello"]
    assert run.state == Run.COMPLETED
    assert sorted(hellos) == sorted(shop.phones[10:])
