"""Whatever comes in is kept, acted upon as far as that goes, counted and shown."""

from collections import Counter
from dataclasses import dataclass

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


async def promised(room: Room) -> int:
    async with room.sessions() as session:
        return len((await session.exec(select(ReplySetRow))).all())


async def outs(room: Room, parent: str) -> int:
    request = opt_out_service_pb2.ListOptedOutNumbersRequest(parent=f"{parent}/optOutLists/default")
    return len((await room.consent.ListOptedOutNumbers(request)).opted_out_numbers)


async def after(room: Room, case: Case, number: int) -> tuple[tuple[str, ...], int, int]:
    """The remarks on a case, and how many opt-outs and answers it brought; of a new person."""
    message = case.message
    message.inbound_id = f"case-{number}"
    message.receive_time.seconds += number
    if message.source_address == ANN:
        message.source_address = f"+1206555{number:04}"
    before = await outs(room, SHOP), await promised(room)

    await room.receive(message)

    newest = conversation_service_pb2.ListInboundMessagesRequest(parent=SHOP, page_size=1)
    (shown,) = (await room.conversations.ListInboundMessages(newest)).inbound_messages
    assert shown.name == f"{SHOP}/inboundMessages/case-{number}"
    remarks = tuple(map(Remark.Name, shown.remarks))
    return remarks, await outs(room, SHOP) - before[0], await promised(room) - before[1]


async def test_bad_input_is_handled_counted_and_visible(room: Room) -> None:
    await numbers(room)
    expected = Counter(remark for case in CASES for remark in case.remarks)
    before = {remark: counted(remark) for remark in expected}

    for number, case in enumerate(CASES):
        became = await after(room, case, number)

        assert became == (case.remarks, case.opted_out, case.answered), case.name
    assert {remark: counted(remark) - before[remark] for remark in before} == expected
    assert not await found(room, "applications/store")
    assert not await outs(room, "applications/store")
