"""STOP means stop, with replicas that are killed between any two of its steps, under campaigns.

`STOP_PROOF=services/twoway/docs/stop-proof.md pytest tests/stories/test_stop_proof.py` kills at
every step, and writes what happened; without it, at some.
"""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import mesh_gate
import pytest
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.twoway.v1.conversation_service_pb2 import ListInboundMessagesRequest
from mesh.testkit.waiting import eventually
from mesh_gate import Step
from mesh_log import Log
from mesh_shop import SETTLE_SECONDS_OF_PATIENCE

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

IS_CONFIRMATION = f"NEW.purpose = {Purpose.OPT_OUT_CONFIRMATION}"
MARKED = f"{IS_CONFIRMATION} AND NEW.state = {Message.HANDING}"
RECORDED = f"{IS_CONFIRMATION} AND NEW.state = {Message.SENT}"

STEPS = [
    Step("the text is not kept yet", "messaging", "INSERT", "inbound_texts"),
    Step("the text is kept, not announced", "messaging", "INSERT", "inbound_texts", at_commit=True),
    Step("the opt-out is not committed", "twoway", "INSERT", "inbound_messages"),
    Step(
        *("the opt-out is committed, its text not acknowledged", "twoway", "INSERT"),
        *("inbound_messages",),
        at_commit=True,
    ),
    Step("the confirmation is asked for, not accepted", "messaging", "INSERT", "send_requests"),
    Step(
        *("the confirmation is accepted, which nobody was told", "messaging", "INSERT"),
        *("send_requests",),
        at_commit=True,
    ),
    Step("the confirmation is accepted, still promised", "twoway", "DELETE", "reply_sets"),
    Step(
        *("the promise is kept, which nobody lived to hear", "twoway", "DELETE", "reply_sets"),
        at_commit=True,
    ),
    Step("the confirmation is not marked yet", "messaging", "UPDATE", "messages", MARKED),
    Step("the carrier has it, and no record says so", "messaging", "UPDATE", "messages", RECORDED),
]
IN_EVERY_RUN = (9,)
MEMBERS, MEMBERS_OF_A_FULL_RUN, STOPPING = 300, 1_200, 6
CONFIRMED = "opted out"


async def test_a_stop_is_obeyed_and_confirmed_once_whoever_dies_when(local_mesh, shop, tmp_path):
    path = os.environ.get("STOP_PROOF", "")
    steps = STEPS if path else [STEPS[number] for number in IN_EVERY_RUN]
    log = Log()
    await shop.settle_within(SETTLE_SECONDS_OF_PATIENCE)
    members = MEMBERS_OF_A_FULL_RUN if path else MEMBERS
    await shop.import_phones(members, tmp_path)
    await shop.carrier.behave(answer_delay_seconds=0.05)
    stopped = shop.phones[:: members // (STOPPING * len(steps))][: STOPPING * len(steps)]
    async with local_mesh.replica("messaging") as messaging, local_mesh.replica("twoway") as twoway:
        replicas = {"messaging": messaging, "twoway": twoway}
        log.say(f"{members} phones, two campaigns to all of them, two messaging, two twoway")
        runs = [await shop.launch(name, f"Hello from {name}") for name in ("first", "second")]
        await shop.reached(0.02)
        for number, step in enumerate(steps):
            phones = stopped[number * STOPPING : (number + 1) * STOPPING]
            await _die_at(local_mesh, shop, replicas, step, phones, log)
        await _confirmed(shop, stopped)
        log.say(f"{len(stopped)} phones have their confirmation; they say STOP again")
        await shop.say(stopped, "stop")
        ended = await asyncio.gather(*map(shop.finished, runs))
        after = await shop.finished(await shop.launch("after", "Hello again"))
        await eventually(lambda: _have_come_in(shop, 2 * len(stopped)))
    log.say("the campaigns have ended, and one more was sent to everybody")
    assert {run.state for run in [*ended, after]} == {Run.COMPLETED}
    texts = await shop.texts()
    counts = Counter(entry["destination"] for entry in texts if CONFIRMED in entry["text"])
    late = _after_confirmation(texts)
    told = {entry["destination"] for entry in texts if entry["text"] == "Hello again"}
    log.conclude(counts, stopped, late, told, len(texts))
    if path:
        log.write(Path(path))
    assert late == []
    assert counts == Counter(stopped)
    assert told == set(shop.phones) - set(stopped)


async def _die_at(local_mesh, shop, replicas, step, phones, log):
    """Some phones say STOP; both processes of the service are killed when it has come so far."""
    database = local_mesh.description.databases[step.service]
    async with mesh_gate.held(database, step) as connection:
        await shop.say(phones, "STOP")
        await mesh_gate.reached(connection)
        pids = [local_mesh.description.pids[step.service], replicas[step.service].pid]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        if not step.at_commit:
            await mesh_gate.undo(connection)
        sent = len(await shop.texts())
        log.say(f"{step.what}: kill -9 of both {step.service}, {sent} messages at the carrier")

    def are_new():
        return local_mesh.description.pids[step.service] != pids[0] and (
            replicas[step.service].pid != pids[1]
        )

    await eventually(are_new)


async def _confirmed(shop, stopped):
    async def are_confirmed():
        texts = await shop.texts()
        told = {entry["destination"] for entry in texts if CONFIRMED in entry["text"]}
        assert told >= set(stopped), f"{len(set(stopped) - told)} are not confirmed"
        return True

    await eventually(are_confirmed, timeout_seconds=90)


async def _have_come_in(shop, count):
    request = ListInboundMessagesRequest(parent=shop.parent, page_size=1000)
    found = await shop.client.conversations.ListInboundMessages(request)
    return len(found.inbound_messages) == count


def _after_confirmation(texts):
    """What came to a phone after its confirmation."""
    told: set[str] = set()
    late = []
    for entry in texts:
        if entry["destination"] in told:
            late.append(entry)
        elif CONFIRMED in entry["text"]:
            told.add(entry["destination"])
    return late
