"""What phones say, and that it arrives."""

from collections import Counter
from pathlib import Path

from mesh.smpp import (
    SubmitSm,
)
from mesh.testkit.waiting import eventually


async def test_a_phone_says_something(stage) -> None:
    said = {"source": "+491700000009", "destination": "12345", "text": "STOP"}
    long = {"source": "+491700000008", "destination": "+4930123", "text": "long " * 60}

    answer = await stage.remote.call("POST", "/inbound", {"messages": [said, long]})

    assert answer == {"said": 2}
    await eventually(lambda: len(stage.customer.received) == 3)
    await stage.quiet()
    assert stage.customer.texts()[0] == "STOP"
    assert (stage.customer.received[0].source_addr, stage.customer.received[0].source_addr_ton) == (
        "491700000009",
        1,
    )
    entries = await stage.log("inbound")
    assert [(e["text"], e["parts"]) for e in entries] == [("STOP", 1), ("long " * 60, 2)]
    assert all(entry["said_time"] <= entry["time"] for entry in entries)


async def test_what_nobody_acknowledges_is_sent_again(stage) -> None:
    stage.customer.failing = True
    said = {"source": "+491700000009", "destination": "12345", "text": "HELP"}
    await stage.remote.call("POST", "/inbound", {"messages": [said]})

    assert await stage.log("inbound") == []
    stage.customer.failing = False
    await eventually(stage.customer.texts)
    await stage.quiet()

    [entry] = await stage.log("inbound")
    assert entry["attempts"] >= 1


async def test_what_comes_without_a_bind_waits_for_one(tmp_path: Path, open_carrier) -> None:
    said = {"source": "+491700000009", "destination": "12345", "text": "START"}
    async with open_carrier(tmp_path) as (remote, new_customer):
        await remote.call("POST", "/inbound", {"messages": [said] * 3})

        customer = new_customer()
        async with customer.esme:
            await eventually(lambda: customer.texts() == ["START"] * 3)


async def test_cut_links_lose_no_delivery(stage) -> None:
    said = [
        {"source": f"+49170{number:07}", "destination": "12345", "text": str(number)}
        for number in range(300)
    ]
    await stage.remote.call("POST", "/inbound", {"messages": said})
    assert (await stage.remote.call("POST", "/drop-links", {}))["dropped"] == 1

    await eventually(lambda: len(set(stage.customer.texts())) == 300)
    await stage.quiet()
    assert len(await stage.log("inbound")) == 300


async def test_phones_reply_by_script(stage) -> None:
    await stage.remote.behave(
        replies=[{"text": "sale", "share": 0.5, "answers": ["STOP", "stop please"]}]
    )
    destinations = [f"49170{number:07}" for number in range(100)]
    for _ in range(2):
        pdus = [pdu for number in destinations for pdu in stage.customer.parts("big sale", number)]
        await stage.customer.esme.submit_many(pdus)
    await stage.customer.send("no match")

    await eventually(lambda: len(stage.customer.texts()) > 30)
    await stage.quiet()
    texts = Counter(stage.customer.texts())
    assert set(texts) == {"STOP", "stop please"}
    assert 30 < sum(texts.values()) < 70
    entries = await stage.log("inbound")
    assert len({entry["source"] for entry in entries}) == len(entries)


async def test_a_name_gets_no_reply(stage) -> None:
    await stage.remote.behave(replies=[{"answers": ["STOP"]}])

    await stage.customer.esme.submit_many([SubmitSm("Shop", "49170", source_addr_ton=5)])

    assert (await stage.remote.call("GET", "/pending"))["deliveries"] == 0


async def test_a_number_is_answered_at_its_own_account(stage) -> None:
    number, other = (stage.new_customer(account=name) for name in ("12125550101", "12125550102"))
    said = [
        {"source": "+491700000009", "destination": f"+{customer.account}", "text": customer.account}
        for customer in (number, other) * 20
    ]
    async with number.esme, other.esme:
        await number.esme.wait_bound(60)
        await other.esme.wait_bound(60)

        await stage.remote.call("POST", "/inbound", {"messages": said})
        await number.send("with a receipt")

        await stage.quiet()
    assert number.texts() == ["12125550101"] * 20
    assert other.texts() == ["12125550102"] * 20
    assert [len(one.receipts()) for one in (number, other, stage.customer)] == [1, 0, 0]
    assert stage.customer.texts() == []


async def test_an_account_has_the_numbers_it_is_given(stage) -> None:
    first = stage.new_customer(account="12125550101")
    await stage.remote.behave(numbers={"+442079460102": first.account})
    async with first.esme:
        await first.esme.wait_bound(60)

        said = [{"source": "+491700000009", "destination": "+442079460102", "text": "hello"}]
        await stage.remote.call("POST", "/inbound", {"messages": said})

        await stage.quiet()
    assert (first.texts(), stage.customer.texts()) == (["hello"], [])
