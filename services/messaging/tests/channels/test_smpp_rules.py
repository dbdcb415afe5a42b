"""How messages are shaped for a carrier, and what its answers mean."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from heliograph.messaging.v1.channel_pb2 import Channel, SmppProvider
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.smpp import Answer, DeliverSm, MessageState, Outcome, Status, Tag, long_messages, receipts
from mesh.smpp import Receipt as CarrierReceipt
from mesh.sms import segment
from messaging.channels.outcomes import Later, Refused, Sent, Unknown
from messaging.channels.outgoing import Outgoing, RenderedEmail, RenderedSms
from messaging.channels.smpp import addresses, configuration, reports, submits, verdicts

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def accepted(message_id: str = "a") -> Answer:
    return Answer(Outcome.ACCEPTED, 0, message_id)


def refused(status: int) -> Answer:
    return Answer(Outcome.REFUSED, status)


THROTTLED = Answer(Outcome.THROTTLED, Status.ESME_RTHROTTLED)
NOT_SENT = Answer(Outcome.NOT_SENT)
UNKNOWN = Answer(Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([accepted()], Sent("a")),
        ([accepted("a"), accepted("b")], Sent("b")),
        ([THROTTLED], Later(0.1, "ESME_RTHROTTLED")),
        ([NOT_SENT], Later(1.0, "not connected")),
        ([NOT_SENT, THROTTLED], Later(0.1, "ESME_RTHROTTLED")),
        ([refused(Status.ESME_RSYSERR)], Later(5.0, "ESME_RSYSERR")),
        ([refused(Status.ESME_RINVBNDSTS)], Later(5.0, "ESME_RINVBNDSTS")),
        (
            [refused(Status.ESME_RINVDSTADR)],
            Refused("ESME_RINVDSTADR", reason=Reason.INVALID_ADDRESS),
        ),
        ([refused(0x401)], Refused("0x00000401")),
        ([accepted(), refused(Status.ESME_RSUBMITFAIL)], Refused("ESME_RSUBMITFAIL")),
        (
            [refused(Status.ESME_RSUBMITFAIL), accepted("b")],
            Refused("ESME_RSUBMITFAIL", provider_message_id="b"),
        ),
        ([UNKNOWN], Unknown("the carrier did not answer")),
        ([accepted(), UNKNOWN], Unknown("the carrier did not answer")),
        ([NOT_SENT, UNKNOWN], Unknown("the carrier did not answer")),
        ([accepted(), THROTTLED, NOT_SENT], Unknown("the carrier took 1 of 3 parts")),
        (
            [accepted(), refused(Status.ESME_RSYSERR)],
            Unknown("the carrier took 1 of 2 parts"),
        ),
    ],
)
def test_answers_mean_an_outcome(answers: list[Answer], outcome: object) -> None:
    assert verdicts.outcome(answers) == outcome


@pytest.mark.parametrize(
    ("answers", "partial"),
    [
        ([accepted(), THROTTLED], True),
        ([accepted(), NOT_SENT], True),
        ([accepted(), accepted()], False),
        ([THROTTLED, NOT_SENT], False),
        ([accepted(), THROTTLED, refused(Status.ESME_RSUBMITFAIL)], False),
        ([accepted(), UNKNOWN], False),
    ],
)
def test_parts_are_sent_again_only_while_others_are_taken(
    answers: list[Answer], partial: bool
) -> None:
    assert verdicts.is_partial(answers) == partial


@pytest.mark.parametrize(
    ("identity", "wire"),
    [
        ("+14155550123", ("14155550123", 1, 1)),
        ("12345", ("12345", 3, 1)),
        ("Shop", ("Shop", 5, 0)),
        ("", ("", 0, 0)),
    ],
)
def test_an_origination_has_its_type(identity: str, wire: tuple[str, int, int]) -> None:
    assert addresses.origination(identity) == wire


@pytest.mark.parametrize(
    ("seconds", "period"),
    [
        (0, ""),
        (1, "000000000001000R"),
        (3600 * 25 + 61, "000001010101000R"),
        (10**9, "000031000000000R"),
    ],
)
def test_a_time_to_live_is_written_relatively(seconds: int, period: str) -> None:
    assert submits.validity_period(seconds) == period


def shaped(
    message: Outgoing, long_messages: int = 0, asked: int = SmppProvider.FINAL
) -> list[object]:
    provider = SmppProvider(host="h", long_messages=long_messages, receipts=asked)
    return submits.make(configuration.read(Channel(smpp=provider)), message)


def test_a_message_carries_address_reference_and_lifetime(
    outgoing: Callable[..., Outgoing],
) -> None:
    content = RenderedSms("hi", segment("hi"), time_to_live_seconds=60)

    [submit] = shaped(outgoing(0x10203, content))

    assert (submit.destination_addr, submit.dest_addr_ton) == ("491700066051", 1)
    assert submit.validity_period == "000000000100000R"
    assert submit.tlvs == {Tag.USER_MESSAGE_REFERENCE: b"\x02\x03"}
    assert submit.registered_delivery == 1


@pytest.mark.parametrize(
    "form", [SmppProvider.USER_DATA_HEADER, SmppProvider.SEGMENTATION_PARAMETERS]
)
def test_only_the_last_part_asks_for_a_receipt(
    outgoing: Callable[..., Outgoing], form: int
) -> None:
    parts = shaped(outgoing(7, "x" * 400), form)

    assert [part.registered_delivery for part in parts] == [0, 0, 1]
    assert [long_messages.read(part)[0] for part in parts] == [
        (7, 3, number) for number in (1, 2, 3)
    ]


def test_a_long_message_can_go_whole(outgoing: Callable[..., Outgoing]) -> None:
    [submit] = shaped(outgoing(7, "x" * 400), SmppProvider.MESSAGE_PAYLOAD)

    assert submit.short_message == b""
    assert submit.user_data == b"x" * 400


@pytest.mark.parametrize(
    ("asked", "registered"), [(SmppProvider.FAILURE, 2), (SmppProvider.NONE, 0), (0, 1)]
)
def test_receipts_are_asked_for_as_the_channel_says(
    outgoing: Callable[..., Outgoing], asked: int, registered: int
) -> None:
    assert shaped(outgoing(1), asked=asked)[0].registered_delivery == registered


def test_a_mail_is_no_text_message(outgoing: Callable[..., Outgoing]) -> None:
    with pytest.raises(TypeError, match="RenderedEmail"):
        shaped(outgoing(1, RenderedEmail("subject")))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (MessageState.DELIVERED, Message.DELIVERED),
        (MessageState.UNDELIVERABLE, Message.FAILED),
        (MessageState.EXPIRED, Message.FAILED),
        (MessageState.ENROUTE, Message.SENT),
        (MessageState.ACCEPTED, Message.SENT),
    ],
)
def test_a_receipt_tells_a_state(state: MessageState, expected: int) -> None:
    told = CarrierReceipt("id-1", state, "005", user_message_reference=9)
    pdu = DeliverSm(
        "491700000001",
        "12345",
        receipts.render(told),
        esm_class=4,
        tlvs=receipts.parameters(told),
    )

    receipt = reports.read(pdu, NOW)

    assert receipt is not None
    assert (receipt.provider_message_id, receipt.state) == ("id-1", expected)
    assert (receipt.address, receipt.reference) == ("+491700000001", 9)
    assert receipt.code == f"{state.name} 005"
    assert receipt.event_time == NOW


def test_every_state_of_a_carrier_is_known() -> None:
    assert all(
        reports.read(
            DeliverSm(tlvs={Tag.RECEIPTED_MESSAGE_ID: b"1", Tag.MESSAGE_STATE: bytes((s,))}), NOW
        )
        for s in MessageState
    )


def test_a_channel_shares_its_rate_among_its_connections() -> None:
    read = configuration.read(
        Channel(rate_per_second=100, smpp=SmppProvider(host="h", connections=4, window=10))
    )

    assert read.carrier.submits_per_second == 25
    assert read.window == 40
    assert read.rate_per_second == 100
    assert read.carrier.port == 2775
