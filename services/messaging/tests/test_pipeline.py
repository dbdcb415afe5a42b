"""Batches through the whole pipeline, to a real carrier and back."""

from collections import Counter

from messaging_samples import batch, endpoint, number


async def test_a_batch_reaches_every_phone_and_comes_back_delivered(room):
    await room.publish(batch([endpoint(i) for i in range(500)]))

    states = await room.settled(500)

    assert Counter(states.values()) == {"DELIVERED": 500}
    arrived = await room.arrived()
    assert Counter(entry["destination"] for entry in arrived) == {number(i): 1 for i in range(500)}
    assert {entry["text"] for entry in arrived} == {f"Hello Ann{i}" for i in range(500)}
