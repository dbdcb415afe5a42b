"""Messages on their way to phones: written down, put together, throttled, refused, lost."""

from collections import Counter
from pathlib import Path

import pytest
from mesh.smpp import (
    Outcome,
    SubmitSm,
    Tag,
)
from mesh.sms import segment
from mesh.testkit.waiting import eventually


async def test_what_arrives_is_written_down(stage) -> None:
    outcomes = await stage.customer.send("hello")

    [entry] = await stage.log("message")
    assert outcomes == [Outcome.ACCEPTED]
    assert entry["source"] == "12345"
    assert entry["destination"] == "+491700000001"
    assert entry["text"] == "hello"
    assert entry["reference"] == 7
    assert entry["parts"] == 1


@pytest.mark.parametrize("text", ["x" * 400, "ж" * 200, "€" * 100 + "z" * 80, "😀" * 90])
async def test_a_long_message_is_shown_whole(stage, text: str) -> None:
    await stage.customer.send(text)

    [entry] = await stage.log("message")
    assert entry["text"] == text
    assert entry["parts"] == len(segment(text).parts) == len(entry["message_ids"])
    assert await stage.remote.call("GET", "/pending") | {"deliveries": 0} == {
        "links": 1,
        "deliveries": 0,
        "incomplete": 0,
    }


async def test_a_payload_is_shown_whole(stage) -> None:
    await stage.customer.esme.submit_many(
        [SubmitSm("1", "2", tlvs={Tag.MESSAGE_PAYLOAD: b"y" * 1000})]
    )

    [entry] = await stage.log("message")
    assert entry["text"] == "y" * 1000


async def test_a_message_without_all_its_parts_is_not_shown(stage) -> None:
    await stage.customer.esme.submit_many(stage.customer.parts("x" * 400)[:2])

    assert await stage.log("message") == []
    assert len(await stage.log("part")) == 2
    assert (await stage.remote.call("GET", "/pending"))["incomplete"] == 1


async def test_rules_refuse_throttle_and_fail(stage) -> None:
    await stage.remote.behave(
        rules=[
            {"destination": "1$", "status": "ESME_RINVDSTADR"},
            {"destination": "2$", "status": "ESME_RMSGQFUL"},
            {"text": "lost", "state": "UNDELIVERABLE", "error": "005"},
        ]
    )
    send = stage.customer.send

    assert await send("a", destination="4911") == [Outcome.REFUSED]
    assert await send("a", destination="4912") == [Outcome.THROTTLED]
    assert await send("lost", destination="4913") == [Outcome.ACCEPTED]

    await eventually(stage.customer.receipts)
    [receipt] = stage.customer.receipts()
    assert (receipt.state.name, receipt.error) == ("UNDELIVERABLE", "005")
    assert [entry["status"] for entry in await stage.log("refused")] == ["ESME_RINVDSTADR"]
    assert len(await stage.log("throttled")) == 1


async def test_a_rate_throttles_what_is_above(stage) -> None:
    await stage.remote.behave(submits_per_second_max=50)

    outcomes = Counter(await stage.customer.send(*["x"] * 40))

    assert outcomes[Outcome.THROTTLED] > 0
    assert outcomes[Outcome.ACCEPTED] + outcomes[Outcome.THROTTLED] == 40
    assert len(await stage.log("message")) == outcomes[Outcome.ACCEPTED]


async def test_answers_can_be_lost(stage) -> None:
    await stage.remote.behave(unanswered_share=1.0)
    impatient = stage.new_customer(response_timeout_seconds=0.5)

    async with impatient.esme:
        await impatient.esme.wait_bound(60)
        assert await impatient.send("x") == [Outcome.UNKNOWN]
    assert len(await stage.log("message")) == 1
    assert len(await stage.log("unanswered")) == 1


async def test_links_can_be_lost_between_taking_and_answering(stage) -> None:
    await stage.remote.behave(link_lost_share=1.0)

    assert await stage.customer.send("x") == [Outcome.UNKNOWN]
    await stage.remote.behave(link_lost_share=0.0)
    await stage.customer.esme.wait_bound(60)

    assert await stage.customer.send("y") == [Outcome.ACCEPTED]
    assert [entry["text"] for entry in await stage.log("message")] == ["x", "y"]


async def test_the_same_seed_plays_the_same(tmp_path: Path, open_carrier) -> None:
    async def play(folder: Path) -> list[str]:
        async with open_carrier(folder) as (remote, new_customer):
            await remote.behave(seed=5, rules=[{"share": 0.3, "status": "ESME_RSYSERR"}])
            customer = new_customer()
            async with customer.esme:
                await customer.esme.wait_bound(60)
                outcomes = await customer.send(*["x"] * 50)
        return [outcome.name for outcome in outcomes]

    first, second = await play(tmp_path / "1"), await play(tmp_path / "2")

    assert first == second
    assert len(set(first)) == 2
