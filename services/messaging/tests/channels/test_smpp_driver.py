"""The SMPP driver against a carrier: messages out, receipts and texts in."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from heliograph.messaging.v1.channel_pb2 import Channel, SmppProvider
from heliograph.messaging.v1.message_pb2 import Message
from mesh.smpp import (
    Bind,
    DeliverSm,
    MessageState,
    Receipt,
    Reply,
    Session,
    Smsc,
    Status,
    SubmitSm,
    long_messages,
    receipts,
)
from mesh.sms import Concatenation, data_coding, segment, udh
from mesh.testkit.waiting import eventually
from messaging.channels.outcomes import Later, Refused, Sent, Unknown
from messaging.channels.smpp import texts
from messaging.channels.smpp.driver import SmppDriver


class Carrier:
    """Takes messages, and answers each with what `statuses` has for it, in turn."""

    def __init__(self) -> None:
        self.submitted: list[SubmitSm] = []
        self.by_session: Counter[int] = Counter()
        self.statuses: list[Status | None] = []
        self.answering = asyncio.Event()
        self.answering.set()
        self.smsc = Smsc(authenticate=self._authenticate, submitted=self._submitted)
        self.port = 0

    def _authenticate(self, bind: Bind) -> Status:
        return Status.ESME_ROK if bind.password == "right" else Status.ESME_RINVPASWD

    async def _submitted(
        self, session: Session, pdus: Sequence[SubmitSm]
    ) -> Sequence[Reply | None]:
        replies = []
        for pdu in pdus:
            self.submitted.append(pdu)
            self.by_session[id(session)] += 1
            status = self.statuses.pop(0) if self.statuses else Status.ESME_ROK
            reply = Reply(status, f"id-{len(self.submitted)}") if status is not None else None
            replies.append(reply)
        await self.answering.wait()
        return replies

    async def deliver(self, *pdus: DeliverSm) -> list[int]:
        answers = await self.smsc.sessions[0].exchange(pdus)
        return [answer.status for answer in answers]

    def channel(self, password: str = "right", **provider: object) -> Channel:
        smpp = SmppProvider(host="127.0.0.1", port=self.port, system_id="us", password=password)
        smpp.MergeFrom(SmppProvider(**provider))
        return Channel(smpp=smpp)


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    carrier = Carrier()
    async with carrier.smsc:
        carrier.port = await carrier.smsc.start()
        yield carrier


@pytest.fixture
async def driver(carrier: Carrier, hearing) -> AsyncIterator[SmppDriver]:
    driver = SmppDriver(carrier.channel(), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)
    yield driver
    await driver.close()


def text(words: str, **fields: object) -> DeliverSm:
    return DeliverSm("491700000001", "12345", words.encode(), dest_addr_ton=3, **fields)


def parts(words: str, reference: int = 9) -> list[DeliverSm]:
    cut = segment(words)
    return [
        DeliverSm(
            "491700000001",
            "12345",
            udh.encode(Concatenation(reference, len(cut.parts), number)) + octets,
            cut.encoding.data_coding,
            esm_class=0x40,
            dest_addr_ton=3,
        )
        for number, octets in enumerate(cut.parts, start=1)
    ]


async def test_a_set_is_handed_over_in_its_order(driver, carrier, outgoing) -> None:
    outcomes = await driver.hand_over([outgoing(number) for number in range(300)])

    assert outcomes == [Sent(f"id-{number + 1}") for number in range(300)]
    assert [pdu.destination_addr for pdu in carrier.submitted] == [
        f"49170{number:07}" for number in range(300)
    ]


async def test_connections_share_a_set(carrier, hearing, outgoing) -> None:
    driver = SmppDriver(carrier.channel(connections=3), hearing)
    await driver.open()
    await eventually(lambda: len(carrier.smsc.sessions) == 3 and driver.ready)
    await eventually(lambda: all(esme.is_bound for esme in driver._esmes))

    outcomes = await driver.hand_over([outgoing(number, "x" * 200) for number in range(30)])
    await driver.close()

    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert list(carrier.by_session.values()) == [20, 20, 20]


async def test_a_long_message_arrives_whole(driver, carrier, outgoing) -> None:
    [outcome] = await driver.hand_over([outgoing(1, "ж" * 150)])

    octets = b"".join(long_messages.read(pdu)[1] for pdu in carrier.submitted)
    assert outcome == Sent("id-3")
    assert data_coding.decode(octets, 8) == "ж" * 150


async def test_refusals_end_a_message_and_throttling_does_not(driver, carrier, outgoing) -> None:
    carrier.statuses = [Status.ESME_RINVDSTADR, Status.ESME_RTHROTTLED, Status.ESME_ROK]

    first, second, third = await driver.hand_over([outgoing(number) for number in range(3)])

    assert isinstance(first, Refused)
    assert isinstance(second, Later)
    assert isinstance(third, Sent)


async def test_an_urgent_message_goes_before_those_that_wait(carrier, hearing, outgoing) -> None:
    driver = SmppDriver(carrier.channel(window=1), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)
    carrier.answering.clear()
    bulk = asyncio.create_task(driver.hand_over([outgoing(number) for number in range(3)]))
    await eventually(lambda: carrier.submitted)
    urgent = asyncio.create_task(driver.hand_over([outgoing(9)], urgent=True))
    await asyncio.sleep(0)

    carrier.answering.set()

    await asyncio.gather(bulk, urgent)
    await driver.close()
    order = [pdu.destination_addr[-1] for pdu in carrier.submitted]
    assert order == ["0", "9", "1", "2"]


async def test_each_answer_is_heard_as_it_comes(driver, carrier, outgoing) -> None:
    carrier.statuses = [Status.ESME_ROK, None, Status.ESME_RTHROTTLED, Status.ESME_ROK]
    heard: list[int] = []
    messages = [outgoing(1, "x" * 200), outgoing(2), outgoing(3)]
    sending = asyncio.create_task(driver.hand_over(messages, lambda: heard.append(1)))

    # Of the first message a part is not answered; the other two are through.
    await eventually(lambda: len(heard) == 2)
    assert not sending.done()

    carrier.smsc.sessions[0].drop("cut by the test")
    await sending
    assert len(heard) == 3


async def test_a_throttled_part_follows_the_ones_that_were_taken(driver, carrier, outgoing) -> None:
    carrier.statuses = [Status.ESME_ROK, Status.ESME_RTHROTTLED, Status.ESME_ROK]

    [outcome] = await driver.hand_over([outgoing(1, "x" * 400)])

    sequences = [long_messages.read(pdu)[0].sequence for pdu in carrier.submitted]
    assert outcome == Sent("id-3")
    assert sequences == [1, 2, 3, 2]


async def test_a_message_of_which_nothing_was_taken_is_for_later(driver, carrier, outgoing) -> None:
    carrier.statuses = [Status.ESME_RMSGQFUL] * 3

    assert await driver.hand_over([outgoing(1, "x" * 400)]) == [Later(0.1, "ESME_RMSGQFUL")]
    assert len(carrier.submitted) == 3


async def test_a_lost_link_makes_what_was_written_unknown(driver, carrier, outgoing) -> None:
    carrier.statuses = [None] * 5
    sending = asyncio.create_task(driver.hand_over([outgoing(number) for number in range(5)]))
    await eventually(lambda: len(carrier.submitted) == 5)

    carrier.smsc.sessions[0].drop("cut by the test")

    assert await sending == [Unknown("the carrier did not answer")] * 5


async def test_without_a_carrier_everything_is_for_later(hearing, outgoing) -> None:
    driver = SmppDriver(Channel(smpp=SmppProvider(host="127.0.0.1", port=1)), hearing)
    await driver.open()

    assert not driver.ready
    assert await driver.hand_over([outgoing(1)]) == [Later(1.0, "not connected")]
    await driver.close()


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


async def test_a_long_text_is_heard_once_whole(driver, carrier, hearing) -> None:
    first, second, third = parts("ж" * 150)

    early = asyncio.create_task(carrier.deliver(third, first))
    await eventually(lambda: carrier.smsc.sessions[0].in_flight == 2)
    assert hearing.heard_texts == []
    assert not early.done()
    late = await carrier.deliver(second)

    assert (await early, late) == ([0, 0], [0])
    assert [(heard.text, heard.parts) for heard in hearing.heard_texts] == [("ж" * 150, 3)]


async def test_a_part_that_waits_in_vain_comes_again_and_is_then_taken(
    driver, carrier, hearing, monkeypatch
) -> None:
    monkeypatch.setattr(texts, "HOLD_SECONDS", 0.05)
    first, second = parts("x" * 200)

    assert await carrier.deliver(first) == [Status.ESME_RX_T_APPN]
    assert await carrier.deliver(first) == [0]
    assert await carrier.deliver(second) == [0]

    assert [heard.text for heard in hearing.heard_texts] == ["x" * 200]


async def test_a_long_text_that_was_not_stored_is_heard_once_when_it_comes_again(
    driver, carrier, hearing
) -> None:
    pdus = parts("x" * 200)
    hearing.failing = True

    assert await carrier.deliver(*pdus) == [Status.ESME_RX_T_APPN] * 2
    hearing.failing = False
    assert await carrier.deliver(*pdus) == [0, 0]

    assert [heard.text for heard in hearing.heard_texts] == ["x" * 200]


async def test_a_broken_header_is_refused(driver, carrier, hearing) -> None:
    assert await carrier.deliver(text("\x20", esm_class=0x40)) == [Status.ESME_RX_P_APPN]


async def test_a_driver_that_closes_asks_for_parts_again(driver, carrier) -> None:
    first, _ = parts("x" * 200)
    waiting = asyncio.create_task(carrier.deliver(first))
    await eventually(lambda: carrier.smsc.sessions[0].in_flight == 1)

    await driver.close()

    assert await waiting == [Status.ESME_RX_T_APPN]


@pytest.mark.parametrize(("password", "words"), [("right", ""), ("wrong", "ESME_RINVPASWD")])
async def test_credentials_can_be_tried(
    carrier: Carrier, hearing: Callable, password: str, words: str
) -> None:
    said = await SmppDriver(carrier.channel(password), hearing).verify()

    assert words in said
    assert bool(said) == bool(words)
