"""Whatever comes in is kept, acted upon as far as that goes, counted and shown."""

from dataclasses import dataclass

import pytest
from heliograph.messaging.v1 import events_pb2
from heliograph.twoway.v1 import (
    conversation_service_pb2,
    inbound_message_pb2,
    opt_out_service_pb2,
    phone_number_pb2,
    phone_number_service_pb2,
)
from mesh.sms import data_coding
from sqlmodel import select
from twoway import metrics
from twoway.inbound.texts import TEXT_CHARACTERS_MAX
from twoway.tables import ReplySetRow
from twoway_room import NUMBER, SHOP, Room, sms

ANN = "+12065550191"
FOREIGN, RELEASED = "+12065550177", "+12065550178"
Remark = inbound_message_pb2.InboundMessage.Remark
WORDS = "STOP".encode("utf-16-be")


@dataclass(frozen=True)
class Case:
    """A text, and what becomes of it."""

    name: str
    message: events_pb2.InboundSms
    remarks: tuple[str, ...] = ()
    opted_out: bool = True
    answered: bool = True


def broken(text: str, **fields: object) -> events_pb2.InboundSms:
    message = sms(text, ANN, inbound_id="broken")
    message.MergeFrom(events_pb2.InboundSms(**fields))  # type: ignore[arg-type]
    return message


CASES = [
    Case("fine", sms("STOP", ANN)),
    Case("empty", broken(""), ("EMPTY",), opted_out=False, answered=False),
    Case("only spaces", broken(" \u00a0\n"), ("EMPTY",), opted_out=False, answered=False),
    Case("10,000 characters", broken("x" * TEXT_CHARACTERS_MAX), (), False, False),
    Case("more", broken("x" * (TEXT_CHARACTERS_MAX + 1)), ("TRUNCATED",), False, False),
    Case("binary", broken("\x00\x06\x27\x01\x9d"), ("UNREADABLE",), False, False),
    Case("a multimedia message", broken("\x01\x06\x03\u00be", mms=True), ("UNREADABLE", "MMS"),
         False, False),
    Case("UCS-2 said to be Latin-1", broken(data_coding.decode(WORDS, 3)), ("UNREADABLE",)),
    Case("UCS-2 said to be GSM", broken(data_coding.decode(WORDS, 0))),
    Case("GSM said to be UCS-2", broken(data_coding.decode(b"STOP!", 8)), ("UNREADABLE",), False,
         False),
    Case("to itself", sms("STOP", NUMBER), ("SENDER_IS_DESTINATION",), answered=False),
    Case("from a short code", sms("STOP", "12345"), ("SHORT_CODE_SENDER",)),
    Case("from a name", sms("STOP", "ACME"), ("ALPHANUMERIC_SENDER",), answered=False),
    Case("to a number of others", sms("STOP", ANN, FOREIGN), ("NUMBER_NOT_REGISTERED",)),
    Case("to a released number", sms("STOP", ANN, RELEASED), ("NUMBER_NOT_REGISTERED",)),
    Case("to an unknown number", sms("STOP", ANN, "+12065550179"), ("NUMBER_NOT_REGISTERED",)),
    Case("parts that never came", broken("STOP\u2026", incomplete=True), ("INCOMPLETE",)),
]  # fmt: skip


async def numbers(room: Room) -> None:
    """One of ours, one of another application, one that we had."""
    await room.register()
    other = phone_number_service_pb2.CreatePhoneNumberRequest(
        parent="applications/store",
        phone_number_id=FOREIGN,
        phone_number=phone_number_pb2.PhoneNumber(),
    )
    await room.numbers.CreatePhoneNumber(other)
    await room.register(RELEASED)
    release = phone_number_service_pb2.DeletePhoneNumberRequest(
        name=f"{SHOP}/phoneNumbers/{RELEASED}"
    )
    await room.numbers.DeletePhoneNumber(release)


def counted(remark: str) -> float:
    return metrics.REMARKS.labels(remark)._value.get()


async def found(room: Room, parent: str) -> list[inbound_message_pb2.InboundMessage]:
    request = conversation_service_pb2.ListInboundMessagesRequest(parent=parent)
    return list((await room.conversations.ListInboundMessages(request)).inbound_messages)


async def outs(room: Room, parent: str) -> int:
    request = opt_out_service_pb2.ListOptedOutNumbersRequest(parent=f"{parent}/optOutLists/default")
    return len((await room.consent.ListOptedOutNumbers(request)).opted_out_numbers)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_bad_input_is_handled_counted_and_visible(room: Room, case: Case) -> None:
    await numbers(room)
    before = {remark: counted(remark) for remark in case.remarks}

    await room.receive(case.message)

    (shown,) = await found(room, SHOP)
    assert tuple(map(Remark.Name, shown.remarks)) == case.remarks
    assert {remark: counted(remark) for remark in before} == {
        remark: count + 1 for remark, count in before.items()
    }
    assert await outs(room, SHOP) == case.opted_out
    async with room.sessions() as session:
        assert len((await session.exec(select(ReplySetRow))).all()) == case.answered
    assert not await found(room, "applications/store")
    assert not await outs(room, "applications/store")
