"""The SMPP driver hears receipts and texts from a carrier."""

from heliograph.messaging.v1.message_pb2 import Message
from mesh.smpp import (
    DeliverSm,
    MessageState,
    Receipt,
    Status,
    receipts,
)
from messaging_carrier import parts


def text(words: str, **fields: object) -> DeliverSm:
    return DeliverSm("491700000001", "12345", words.encode(), dest_addr_ton=3, **fields)


async def test_receipts_are_heard(driver, carrier, hearing) -> None:
    told = Receipt("id-1", MessageState.DELIVERED, delivered=1)
    pdu = DeliverSm("491700000001", "12345", receipts.render(told), esm_class=4)

    assert await carrier.deliver(pdu, pdu) == [0, 0]
    assert [receipt.state for receipt in hearing.heard_receipts] == [Message.DELIVERED] * 2
    assert hearing.heard_receipts[0].address == "+491700000001"


async def test_a_receipt_that_says_nothing_is_taken(driver, carrier, hearing) -> None:
    assert await carrier.deliver(text("nonsense", esm_class=4)) == [0]
    assert hearing.heard_receipts == []


async def test_what_is_not_stored_comes_again(driver, carrier, hearing) -> None:
    told = Receipt("id-1", MessageState.DELIVERED)
    receipt = DeliverSm("1", "2", receipts.render(told), esm_class=4)
    hearing.failing = True

    answers = await carrier.deliver(receipt, text("STOP"))
    hearing.failing = False

    assert answers == [Status.ESME_RX_T_APPN] * 2
    assert await carrier.deliver(receipt, text("STOP")) == [0, 0]
    assert [heard.text for heard in hearing.heard_texts] == ["STOP"]


async def test_a_text_is_heard(driver, carrier, hearing) -> None:
    await carrier.deliver(text("STOP"))

    [heard] = hearing.heard_texts
    assert (heard.source_address, heard.destination_address) == ("+491700000001", "12345")
    assert (heard.text, heard.parts) == ("STOP", 1)


async def test_each_part_of_a_long_text_is_heard_and_answered_when_it_is_stored(
    driver, carrier, hearing
) -> None:
    first, second, third = parts("ж" * 150)
    hearing.failing = True
    assert await carrier.deliver(first, second) == [Status.ESME_RX_T_APPN] * 2
    hearing.failing = False

    assert await carrier.deliver(third, first) == [0, 0]
    assert await carrier.deliver(second) == [0]

    assert [heard.sequence for heard in hearing.heard_parts] == [3, 1, 2]
    assert {(heard.reference, heard.total) for heard in hearing.heard_parts} == {(9, 3)}
    assert hearing.heard_parts[0].source_address == "+491700000001"
    assert hearing.heard_texts == []


async def test_a_broken_header_is_refused(driver, carrier, hearing) -> None:
    assert await carrier.deliver(text("\x20", esm_class=0x40)) == [Status.ESME_RX_P_APPN]
