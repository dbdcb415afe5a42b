"""Caps: nobody gets one message too many, whoever sends at the same moment and whoever dies."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import messaging_moments as moments
import pytest
from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.errors import InvalidArgument
from mesh.testkit.waiting import eventually
from messaging_crashes import GIVING_BACK, Doom, gate_at
from messaging_room import UNFINISHED, word
from messaging_samples import PARENT, batch, endpoint, number

EXPIRE_SECONDS = 4
"""What has been tried by then expires after."""


def caps(daily_max=0, total_max=0, total_key="spring/1"):
    return SendBatch.Caps(daily_max=daily_max, total_max=total_max, total_key=total_key)


def run(campaign, limits, members, number="r1"):
    """A page of a run of that campaign."""
    name = f"{PARENT}/campaigns/{campaign}/runs/{number}"
    return batch(members, f"{campaign}-{number}", run=name, source=name, caps=limits)


async def ends(room):
    """How many messages of each endpoint ended how."""
    found = Counter()
    for row in await room.rows():
        found[row.endpoint_id] += row.state in (3, 4)
    return found


async def counters(room):
    """How many messages each counter holds, by its key and endpoint."""
    records = await room.pool.fetch(
        "SELECT counter, endpoint_id, (SELECT count(*) FROM jsonb_object_keys(messages)) AS count"
        " FROM cap_counters"
    )
    return {(record["counter"], record["endpoint_id"]): record["count"] for record in records}


async def test_ten_campaigns_at_once_never_exceed_a_daily_cap_of_five(make_room):
    room = await make_room(chunk_size_max=30)
    await room.open_channel()
    members = [endpoint(i) for i in range(60)]
    async with room.another_process():
        await asyncio.gather(
            *(
                room.publish(run(f"c{n}", caps(5, total_key=f"c{n}/1"), members[n:] + members[:n]))
                for n in range(10)
            )
        )
        await settled_rows(room, 600)

    arrived = Counter(entry["destination"] for entry in await room.arrived())
    assert arrived == {number(i): 5 for i in range(60)}
    reasons = Counter(row.reason for row in await room.rows())
    assert reasons == {0: 300, 4: 300}
    assert set((await counters(room)).values()) == {5}


@pytest.mark.parametrize(
    "moment",
    [moments.claim_unheard, moments.messages_unsent],
    ids=lambda moment: moment.__name__,
)
async def test_a_dead_worker_counts_nobody_twice_and_nobody_for_nothing(
    make_room, tmp_path, moment
):
    room = await make_room(at_work=False, chunk_size_max=20)
    members = [endpoint(i) for i in range(40)]
    async with Doom.of(room, tmp_path) as doom:
        await moment(doom, run("c1", caps(2, 2, "c1/1"), members))

        async with room.another_process():
            first = await room.settled(40)
            for again in ("r2", "r3"):
                await room.publish(run("c1", caps(2, 2, "c1/1"), members, again))
            await settled_rows(room, 120)

    assert set(first.values()) <= {"DELIVERED", "OUTCOME_UNKNOWN"}
    assert set((await counters(room)).values()) == {2}
    # Who may have got the first message gets one more; what became of it is not known.
    unknown = sum(state == "OUTCOME_UNKNOWN" for state in first.values())
    assert sum((await ends(room)).values()) == 2 * 40 - unknown


async def test_a_campaign_cap_holds_over_its_runs_and_not_for_one_created_anew(room):
    members = [endpoint(i) for i in range(3)]
    for number_, key in (("r1", "c/1"), ("r2", "c/1"), ("r3", "c/2")):
        await room.publish(run("c", caps(total_max=1, total_key=key), members, number_))
        await settled_rows(room, 3 * int(number_[1]))

    assert Counter(row.reason for row in await room.rows()) == {0: 6, 5: 3}


async def test_what_is_certainly_not_sent_does_not_count(room):
    room.opt_outs.numbers.add(number(1))
    await room.carrier.remote.behave(rules=[{"destination": "0002$", "status": "ESME_RINVDSTADR"}])
    members = [endpoint(i) for i in range(3)]

    await room.publish(run("c", caps(1, 1, "c/1"), members))

    assert await room.settled(3) == {
        "e0": "DELIVERED",
        "e1": "OPTED_OUT",
        "e2": "INVALID_ADDRESS",
    }
    assert await counters(room) == {
        (counter, f"e{i}"): int(i == 0) for counter in ("", "c/1") for i in range(3)
    }


async def test_what_expired_before_the_provider_took_it_does_not_count(room):
    await room.carrier.remote.behave(rules=[{"status": "ESME_RTHROTTLED"}])
    sent = run("c", caps(1, 1, "c/1"), [endpoint(0)])
    sent.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=EXPIRE_SECONDS))

    await room.publish(sent)

    assert await room.settled(1) == {"e0": "EXPIRED"}
    assert await counters(room) == {("", "e0"): 0, ("c/1", "e0"): 0}


async def test_who_dies_while_giving_back_has_ended_nothing_either(room):
    """The batch was put off, so that its rows end where it is entered once more."""
    await room.carrier.remote.behave(rules=[{"status": "ESME_RTHROTTLED"}])
    sent = run("c", caps(1, 1, "c/1"), [endpoint(0), endpoint(1)])
    sent.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=EXPIRE_SECONDS))

    async with gate_at(room.database_url, GIVING_BACK) as gate:
        await room.publish(sent)
        await gate.reached()
        await gate.undo()

        assert {row.state for row in await room.rows()} == {Message.ACCEPTED}

    assert await room.settled(2) == {"e0": "EXPIRED", "e1": "EXPIRED"}
    assert set((await counters(room)).values()) == {0}


async def test_who_is_over_the_daily_cap_keeps_the_campaigns(room):
    members = [endpoint(0)]
    await room.publish(run("one", caps(daily_max=1, total_key="one/1"), members))
    await room.settled(1)

    await room.publish(run("two", caps(1, 1, "two/1"), members))
    await settled_rows(room, 2)

    assert Counter(row.reason for row in await room.rows()) == {0: 1, 4: 1}
    assert await counters(room) == {("", "e0"): 1, ("two/1", "e0"): 0}


async def test_what_has_no_caps_is_not_counted_and_what_only_counts_is_not_limited(room):
    members = [endpoint(0)]
    await room.publish(batch(members))
    await room.settled(1)
    assert await counters(room) == {}

    for n in range(3):
        await room.publish(run(f"c{n}", caps(), members))
    await settled_rows(room, 4)
    await room.publish(run("last", caps(daily_max=3), members))
    await settled_rows(room, 5)

    assert Counter(row.reason for row in await room.rows()) == {0: 4, 4: 1}


async def test_what_endpoints_have_had_can_be_asked(room):
    await room.publish(run("c", caps(2, 1, "c/1"), [endpoint(0)]))
    await room.settled(1)
    names = [f"{PARENT}/endpoints/e{i}" for i in (1, 0, 0)]

    async def asked(limits):
        request = rpc.CheckCapsRequest(parent=PARENT, endpoints=names, caps=limits)
        answer = await room.messages.CheckCaps(request)
        assert [usage.endpoint for usage in answer.usages] == names
        return [
            (usage.daily_count, usage.total_count, list(map(Reason.Name, usage.reasons)))
            for usage in answer.usages
        ]

    assert await asked(caps(1, 1, "c/1")) == [
        (0, 0, []),
        *[(1, 1, ["CAMPAIGN_CAP", "DAILY_CAP"])] * 2,
    ]
    assert await asked(caps(2)) == [(0, 0, []), (1, 0, []), (1, 0, [])]
    with pytest.raises(InvalidArgument):
        await room.messages.CheckCaps(
            rpc.CheckCapsRequest(parent=PARENT, endpoints=["applications/shop/endpoints/a/b"])
        )


async def settled_rows(room, count):
    """Waits until so many messages are in final states."""

    async def probe():
        rows = await room.rows()
        assert len(rows) == count, f"{len(rows)} rows, not {count}"
        assert not [row for row in rows if word(row) in UNFINISHED]
        return True

    await eventually(probe)
