"""Receipts, as well and as badly as carriers send them."""

from collections import Counter

import pytest
from mesh.smpp import (
    SubmitSm,
)
from mesh.testkit.waiting import eventually


async def test_each_message_is_reported_with_text_and_parameters(stage) -> None:
    await stage.customer.send("hello")

    await eventually(stage.customer.receipts)
    await stage.quiet()
    [receipt] = stage.customer.receipts()
    [entry] = await stage.log("message")
    assert [receipt.message_id] == entry["message_ids"]
    assert (receipt.state.name, receipt.text) == ("DELIVERED", "hello")
    assert receipt.user_message_reference == 7
    assert stage.customer.received[0].source_addr == "491700000001"
    [written] = await stage.log("receipt")
    assert written["message_id"] == receipt.message_id


async def test_nobody_is_told_what_they_did_not_ask(stage) -> None:
    await stage.customer.esme.submit_many([SubmitSm("1", "2", b"x")])
    await stage.customer.esme.submit_many([SubmitSm("1", "2", b"x", registered_delivery=2)])
    await stage.customer.send("marker")

    await eventually(stage.customer.receipts)
    await stage.quiet()
    assert [receipt.text for receipt in stage.customer.receipts()] == ["marker"]


async def test_receipts_come_twice_late_and_out_of_order_when_told(stage) -> None:
    await stage.remote.behave(
        receipts={
            "twice_share": 0.5,
            "late_share": 0.3,
            "late_seconds": 0.2,
            "delay_seconds_max": 0.1,
        }
    )
    await stage.customer.send(*(str(number) for number in range(200)))

    await eventually(lambda: len({r.message_id for r in stage.customer.receipts()}) == 200)
    await stage.quiet()
    ids = [receipt.message_id for receipt in stage.customer.receipts()]
    assert 250 < len(ids) < 350
    assert max(Counter(ids).values()) == 2
    first = list(dict.fromkeys(ids))
    assert first != sorted(first)
    assert len(await stage.log("receipt")) == len(ids)


async def test_receipts_can_be_early(stage) -> None:
    await stage.remote.behave(receipts={"early_share": 1.0})
    answered_after: list[int] = []

    for _ in range(5):
        await stage.customer.send("x")
        answered_after.append(len(stage.customer.receipts()))

    assert answered_after == [1, 2, 3, 4, 5]


async def test_receipts_can_be_missing(stage) -> None:
    await stage.remote.behave(receipts={"share": 0.0})

    await stage.customer.send("x", "y")

    assert (await stage.remote.call("GET", "/pending"))["deliveries"] == 0


@pytest.mark.parametrize("form", ["text", "parameters"])
async def test_receipts_can_have_one_form_only(stage, form: str) -> None:
    await stage.remote.behave(receipts={"text": form == "text", "parameters": form != "text"})

    await stage.customer.send("hello")

    await eventually(stage.customer.receipts)
    [pdu] = stage.customer.received
    assert bool(pdu.short_message) == (form == "text")
    assert bool(pdu.tlvs) == (form == "parameters")
