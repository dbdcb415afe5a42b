"""Texts that come from whichever member of a pool twoway chooses."""

import pytest
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.twoway.v1 import origination_pb2
from mesh.errors import InvalidArgument
from mesh.testkit.waiting import eventually
from messaging.pipeline import decisions
from messaging_samples import APPLICATION, PARENT, batch, content, endpoint, number, send_request

POOL = f"{PARENT}/pools/offers"
FIRST, SECOND = "+12065550101", "+12065550102"


def from_pool(pool: str = POOL):
    made = content()
    made.sms.origination_identity = pool
    return made


async def sources(room) -> dict[str, str]:
    return {entry["destination"]: entry["source"] for entry in await room.arrived()}


async def test_each_text_comes_from_the_member_chosen_and_consent_is_asked_of_it(room):
    ours = [FIRST, SECOND]
    room.pools.members[POOL] = {
        number(i): f"{PARENT}/phoneNumbers/{ours[i % 2]}" for i in range(40)
    }
    sent = batch([endpoint(i) for i in range(41)])
    sent.treatments[0].content.CopyFrom(from_pool())

    await room.publish(sent)

    states = await room.settled(41)
    assert states.pop("e40") == "NO_ORIGINATION_IDENTITY"
    assert set(states.values()) == {"DELIVERED"}
    assert await sources(room) == {number(i): ours[i % 2] for i in range(40)}
    assert {identity for identity, _ in room.opt_outs.asked} == set(ours)
    assert len(room.pools.asked) == 1
    (skipped,) = [row for row in await room.rows() if row.endpoint_id == "e40"]
    assert skipped.detail == "1 only simulated"


async def test_nothing_is_sent_until_twoway_chooses(room):
    room.pools.members[POOL] = {number(1): f"{PARENT}/senderIds/DE-ACME"}
    room.pools.away = True
    await room.messages.SendMessages(send_request(number(1), content=from_pool()))
    await eventually(lambda: _state_is(room, "ACCEPTED"))
    assert await room.arrived() == []

    room.pools.away = False

    await eventually(lambda: _state_is(room, "DELIVERED"))
    assert await sources(room) == {number(1): "ACME"}


async def _state_is(room, state: str) -> bool:
    return list((await room.states()).values()) == [state]


async def test_a_pool_that_is_not_there_is_a_reason_and_one_of_others_is_refused(room):
    await room.messages.SendMessages(send_request(number(1), content=from_pool()))
    assert await room.settled(1) == {number(1): "NO_ORIGINATION_IDENTITY"}
    with pytest.raises(InvalidArgument) as refused:
        await room.messages.SendMessages(
            send_request(number(1), content=from_pool("applications/bank/pools/offers"))
        )
    assert refused.value.reason == "APPLICATION_MISMATCH"


@pytest.mark.parametrize(
    ("purpose", "message_type"),
    [
        (Purpose.PROMOTIONAL, origination_pb2.PROMOTIONAL),
        (Purpose.PURPOSE_UNSPECIFIED, origination_pb2.PROMOTIONAL),
        (Purpose.TRANSACTIONAL, origination_pb2.TRANSACTIONAL),
    ],
)
async def test_without_any_origination_all_numbers_of_the_application_count(
    make_room, purpose, message_type
):
    room = await make_room()
    await room.open_channel(APPLICATION, default_origination_identity="")
    await room.publish(batch([endpoint(1)], "b1"))
    await room.settled(1)
    # Nothing was registered: the carrier decides.
    assert await sources(room) == {number(1): ""}
    room.pools.members[""] = {number(2): f"{PARENT}/phoneNumbers/{FIRST}"}

    await room.publish(batch([endpoint(2)], "b2", purpose=purpose))

    await room.settled(2)
    assert (await sources(room))[number(2)] == FIRST
    asked = room.pools.asked[-1]
    assert (asked.pool, asked.message_type) == ("", message_type)


@pytest.mark.parametrize(
    ("origination", "bare"),
    [
        ("", ""),
        (FIRST, FIRST),
        ("ACME", "ACME"),
        (f"{PARENT}/phoneNumbers/{FIRST}", FIRST),
        (f"{PARENT}/senderIds/DE-ACME", "ACME"),
        (f"{PARENT}/senderIds/DE-AC-ME", "AC-ME"),
        (POOL, POOL),
    ],
)
def test_an_identity_is_bare_and_a_pool_stays_to_be_chosen_from(origination, bare):
    assert decisions.identity(origination) == bare
    assert decisions.is_to_be_chosen(origination) == (origination in ("", POOL))
