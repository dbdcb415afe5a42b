"""What a server delivers to its client: acknowledged only when it was handled."""

import asyncio
from collections.abc import Sequence

from mesh.smpp import (
    Bind,
    Carrier,
    Command,
    DeliverSm,
    Esme,
    Limits,
    Reply,
    Session,
    Smsc,
    Status,
)
from mesh.testkit.waiting import eventually
from smpp_client import (
    accept,
    authenticate,
    client,
    ignore,
    outcomes,
    server,
)


async def test_what_is_delivered_is_acknowledged_only_when_it_was_handled() -> None:
    handled, let = [], asyncio.Event()

    async def persist(pdus: Sequence[DeliverSm]) -> None:
        handled.append(len(pdus))
        await let.wait()

    async with server() as smsc, client(smsc, persist) as esme:
        inbound = [DeliverSm(str(n), "1", b"hi") for n in range(40)]
        delivering = asyncio.create_task(smsc.sessions[0].exchange(inbound))
        await eventually(lambda: handled)

        assert smsc.sessions[0].in_flight == 40
        assert not delivering.done()
        let.set()

        assert outcomes(await delivering) == ["ACCEPTED"] * 40
        assert sum(handled) == 40
        assert len(handled) <= 3
        assert esme.is_bound


async def test_what_could_not_be_handled_is_to_be_sent_again() -> None:
    async def fail(_: Sequence[DeliverSm]) -> None:
        raise OSError("the database is away")

    async with server() as smsc, client(smsc, fail):
        answers = await smsc.sessions[0].exchange([DeliverSm("1", "2")])

    assert [answer.status for answer in answers] == [Status.ESME_RX_T_APPN]


async def test_a_reply_may_come_later_than_its_batch() -> None:
    promised: list[asyncio.Future[Reply]] = []

    async def promise(pdus: Sequence[DeliverSm]) -> Sequence[asyncio.Future[Reply]]:
        made = [asyncio.get_running_loop().create_future() for _ in pdus]
        promised.extend(made)
        return made

    async with server() as smsc, client(smsc, promise):
        [session] = smsc.sessions
        first = asyncio.create_task(session.exchange([DeliverSm("1", "2")]))
        await eventually(lambda: len(promised) == 1)
        second = asyncio.create_task(session.exchange([DeliverSm("1", "2")]))
        await eventually(lambda: len(promised) == 2)
        promised[1].set_result(Reply(Status.ESME_RX_T_APPN))
        promised[0].set_result(Reply())

        assert outcomes(await first) == ["ACCEPTED"]
        assert [answer.status for answer in await second] == [Status.ESME_RX_T_APPN]


async def test_more_than_may_wait_is_to_be_sent_again() -> None:
    let = asyncio.Event()

    async def wait(_: Sequence[DeliverSm]) -> None:
        await let.wait()

    limits = Limits(batch_max=2, waiting_max=5)
    async with server() as smsc, client(smsc, wait, limits=limits):
        delivering = asyncio.create_task(smsc.sessions[0].exchange([DeliverSm("1", "2")] * 20))
        await eventually(lambda: smsc.sessions[0].in_flight < 20)
        let.set()
        answers = await delivering

    assert {answer.status for answer in answers} == {Status.ESME_ROK, Status.ESME_RX_T_APPN}


async def test_what_waits_at_the_carrier_may_follow_the_bind_at_once() -> None:
    received: list[DeliverSm] = []

    async def keep(pdus: Sequence[DeliverSm]) -> None:
        received.extend(pdus)

    sending: list[asyncio.Task[object]] = []

    def deliver_waiting(session: Session) -> None:
        sending.append(asyncio.create_task(session.exchange([DeliverSm("1", "2", b"waited")])))

    async with Smsc(authenticate=authenticate, submitted=accept, on_bound=deliver_waiting) as smsc:
        smsc.port = await smsc.start()
        async with client(smsc, keep):
            assert outcomes(await sending[0]) == ["ACCEPTED"]

    assert [pdu.short_message for pdu in received] == [b"waited"]


async def test_a_transmitter_gets_no_messages() -> None:
    async with server() as smsc:
        sender = Carrier(
            "127.0.0.1", smsc.port, Bind("mesh", "right", command=Command.BIND_TRANSMITTER)
        )
        async with Esme(sender, ignore) as esme:
            await esme.wait_bound(60)
            answers = await smsc.sessions[0].exchange([DeliverSm("1", "2")])

    assert [answer.status for answer in answers] == [Status.ESME_RINVBNDSTS]
