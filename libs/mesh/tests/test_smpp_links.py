"""Links between client and server: broken, refused, made again, closed."""

import asyncio
import socket

import pytest
from mesh.embedded.ports import free_port
from mesh.smpp import (
    Bind,
    BindRefusedError,
    BindUnansweredError,
    Esme,
    Limits,
    Session,
    UnreachableError,
    codec,
    probe,
)
from mesh.smpp.framing import Framer
from mesh.smpp.pdu import BindResp
from mesh.smpp.role import ESME
from mesh.testkit.waiting import eventually
from smpp_client import (
    Holding,
    carrier,
    client,
    ignore,
    messages,
    outcomes,
    server,
)


async def test_a_broken_link_tells_what_was_written_from_what_was_not() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc, limits=Limits(window=5)) as esme:
        sending = asyncio.create_task(esme.submit_many(messages(12)))
        await eventually(lambda: len(holding.seen) == 5)

        smsc.sessions[0].drop("cut by the test")

        assert outcomes(await sending) == ["UNKNOWN"] * 5 + ["NOT_SENT"] * 7
        assert holding.seen == ["0", "1", "2", "3", "4"]
        holding.let.set()


async def test_without_a_link_nothing_is_sent() -> None:
    async with Esme(carrier(1), ignore) as esme:
        assert outcomes(await esme.submit_many(messages(2))) == ["NOT_SENT", "NOT_SENT"]


async def test_a_lost_link_is_made_again() -> None:
    async with server() as smsc, client(smsc) as esme:
        [first] = smsc.sessions
        first.drop("cut by the test")
        await eventually(lambda: esme.is_bound and smsc.sessions not in ([], [first]))

        assert outcomes(await esme.submit_many(messages(1))) == ["ACCEPTED"]


async def test_a_carrier_that_comes_back_is_found() -> None:
    port = free_port()
    async with server(port=port):
        esme = Esme(carrier(port), ignore)
        esme.start()
        await esme.wait_bound(60)
    await eventually(lambda: isinstance(esme.failure, UnreachableError))

    async with server(port=port):
        await esme.wait_bound(60)
        assert esme.failure is None
        await esme.close()


async def test_a_wrong_password_is_told_as_such() -> None:
    async with (
        server() as smsc,
        Esme(carrier(smsc.port, "wrong"), ignore) as esme,
    ):
        await eventually(lambda: esme.failure)
        with pytest.raises(BindRefusedError, match=r"ESME_RINVPASWD.*check system_id") as raised:
            await esme.wait_bound(0)

    assert raised.value.is_about_credentials


async def test_a_password_that_no_bind_can_carry_is_told_as_such() -> None:
    async with server() as smsc:
        with pytest.raises(BindRefusedError, match="ESME_RINVPASWD"):
            await probe(carrier(smsc.port, "p" * 100))


async def test_a_probe_binds_once_or_tells_why_not() -> None:
    async with server() as smsc:
        await probe(carrier(smsc.port))
        with pytest.raises(BindRefusedError):
            await probe(carrier(smsc.port, "wrong"))
        await eventually(lambda: not smsc.sessions)
    with pytest.raises(UnreachableError):
        await probe(carrier(1))


async def test_nobody_at_the_address_is_told_as_such() -> None:
    async with Esme(carrier(1), ignore) as esme:
        await eventually(lambda: esme.failure)
        with pytest.raises(UnreachableError, match="check host and port"):
            await esme.wait_bound(0)


async def test_a_host_that_does_not_answer_binds_is_told_as_such() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as deaf:
        port = deaf.sockets[0].getsockname()[1]
        async with Esme(carrier(port), ignore) as esme:
            await eventually(lambda: esme.failure)
            with pytest.raises(BindUnansweredError, match="speaks SMPP"):
                await esme.wait_bound(0)


async def test_closing_waits_for_answers_and_unbinds() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc, limits=Limits(window=2)) as esme:
        sending = asyncio.create_task(esme.submit_many(messages(4)))
        await eventually(lambda: len(holding.seen) == 2)
        [session] = smsc.sessions

        closing = asyncio.create_task(esme.close())
        await asyncio.sleep(0)
        holding.let.set()
        await closing

        assert outcomes(await sending) == ["ACCEPTED"] * 2 + ["NOT_SENT"] * 2
        assert await session.lost == "the peer unbound"


async def test_closing_is_bounded_when_the_carrier_is_silent() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc) as esme:
        sending = asyncio.create_task(esme.submit_many(messages(1)))
        await eventually(lambda: holding.seen)

        await asyncio.wait_for(esme.close(grace_seconds=0.1), 60)

        assert outcomes(await sending) == ["UNKNOWN"]
        assert outcomes(await esme.submit_many(messages(1))) == ["NOT_SENT"]
        holding.let.set()


async def test_who_gives_up_as_the_answer_comes_has_given_up() -> None:
    """A bind that went on all the same would keep whoever closes it waiting for ever."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with theirs:
        session = Session(ESME, ignore)
        transport, _ = await loop.create_connection(lambda: session, sock=ours)
        binding = asyncio.create_task(session.ask_to_bind(Bind("us", "right")))
        [asked] = Framer(1_000).feed(await loop.sock_recv(theirs, 1_000))

        session.data_received(codec.encode(BindResp("them"), asked.sequence))
        binding.cancel()

        with pytest.raises(asyncio.CancelledError):
            await binding
        transport.abort()
        await session.lost
