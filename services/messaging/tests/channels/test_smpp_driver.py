"""The SMPP driver hands messages over to a carrier."""

import asyncio
from collections.abc import Callable

import pytest
from heliograph.messaging.v1.channel_pb2 import Channel, SmppProvider
from mesh.smpp import (
    Status,
    long_messages,
)
from mesh.sms import data_coding
from mesh.testkit.waiting import eventually
from messaging.channels.outcomes import Later, Refused, Sent, Unknown
from messaging.channels.smpp.driver import SmppDriver
from messaging_carrier import Carrier


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


@pytest.mark.parametrize(("password", "words"), [("right", ""), ("wrong", "ESME_RINVPASWD")])
async def test_credentials_can_be_tried(
    carrier: Carrier, hearing: Callable, password: str, words: str
) -> None:
    said = await SmppDriver(carrier.channel(password), hearing).verify()

    assert words in said
    assert bool(said) == bool(words)
