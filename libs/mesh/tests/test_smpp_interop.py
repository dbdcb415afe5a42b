"""The server with a client that others wrote: smpplib, which is synchronous, in a thread."""

import asyncio
from collections.abc import Sequence

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
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
    receipts,
)


class Conversation:
    """What the foreign client and the server saw."""

    def __init__(self) -> None:
        self.submitted: list[SubmitSm] = []
        self.sent: list[tuple[int, str]] = []
        self.received: list[tuple[str, bytes, bytes]] = []


def authenticate(bind: Bind) -> Status:
    return Status.ESME_ROK if bind.password == "right" else Status.ESME_RINVPASWD


def speak(port: int, conversation: Conversation) -> None:
    """Binds, sends two messages, waits for their receipts, unbinds."""
    client = smpplib.client.Client("127.0.0.1", port, timeout=60, allow_unknown_opt_params=True)
    client.set_message_sent_handler(
        lambda pdu: conversation.sent.append((pdu.status, pdu.message_id.decode()))
    )
    client.set_message_received_handler(
        lambda pdu: conversation.received.append(
            (pdu.source_addr.decode(), pdu.short_message, pdu.receipted_message_id)
        )
    )
    client.connect()
    client.bind_transceiver(system_id="foreign", password="right")
    for number in (1, 2):
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
            source_addr="shop",
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            destination_addr=f"4917000000{number}",
            short_message=b"hello",
            registered_delivery=True,
        )
    while len(conversation.received) < 2:
        client.read_once()
    client.unbind()
    client.disconnect()


async def test_smpplib_sends_and_takes_receipts() -> None:
    conversation = Conversation()
    delivering: list[asyncio.Task[object]] = []

    async def submitted(session: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
        conversation.submitted += pdus
        for pdu in pdus:
            receipt = Receipt(f"id-{pdu.destination_addr}", MessageState.DELIVERED, delivered=1)
            answer = DeliverSm(
                pdu.destination_addr,
                pdu.source_addr,
                receipts.render(receipt),
                esm_class=4,
                tlvs=receipts.parameters(receipt),
            )
            delivering.append(asyncio.create_task(session.exchange([answer])))
        return [Reply(message_id=f"id-{pdu.destination_addr}") for pdu in pdus]

    async with Smsc(authenticate=authenticate, submitted=submitted) as smsc:
        port = await smsc.start()
        await asyncio.wait_for(asyncio.to_thread(speak, port, conversation), 60)
        answers = [answer for task in delivering for answer in await task]

    assert conversation.sent == [(0, "id-49170000001"), (0, "id-49170000002")]
    assert [pdu.source_addr_ton for pdu in conversation.submitted] == [5, 5]
    assert [source for source, _, _ in conversation.received] == ["49170000001", "49170000002"]
    assert conversation.received[0][1].startswith(b"id:id-49170000001 sub:001 dlvrd:001")
    assert [answer.status for answer in answers] == [Status.ESME_ROK] * 2


async def test_smpplib_is_told_that_its_password_is_wrong() -> None:
    async def submitted(_: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
        return [Reply()] * len(pdus)

    def bind(port: int) -> None:
        client = smpplib.client.Client("127.0.0.1", port, timeout=60, allow_unknown_opt_params=True)
        client.connect()
        try:
            client.bind_transceiver(system_id="foreign", password="wrong")
        finally:
            client.disconnect()

    async with Smsc(authenticate=authenticate, submitted=submitted) as smsc:
        port = await smsc.start()
        with pytest.raises(smpplib.exceptions.PDUError, match="Invalid Password"):
            await asyncio.to_thread(bind, port)
