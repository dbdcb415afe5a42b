"""The client against the server: batches, windows, throttling, broken links and reconnection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from mesh.smpp import (
    Bind,
    BindRefusedError,
    BindUnansweredError,
    Carrier,
    Command,
    DeliverSm,
    Esme,
    Limits,
    Outcome,
    Reply,
    Session,
    Smsc,
    Status,
    SubmitSm,
    UnreachableError,
    probe,
)
from mesh.testkit.waiting import eventually

Submitted = Callable[[Session, Sequence[SubmitSm]], Awaitable[Sequence[Reply]]]
Delivered = Callable[[Sequence[DeliverSm]], Awaitable[None]]


async def accept(_: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
    return [Reply(message_id=f"id-{pdu.destination_addr}") for pdu in pdus]


async def ignore(_: Sequence[DeliverSm]) -> None:
    """Takes everything."""


def authenticate(bind: Bind) -> Status:
    return Status.ESME_ROK if bind.password == "right" else Status.ESME_RINVPASWD


@contextlib.asynccontextmanager
async def server(submitted: Submitted = accept, port: int = 0) -> AsyncIterator[Smsc]:
    async with Smsc(authenticate=authenticate, submitted=submitted) as smsc:
        smsc.port = await smsc.start(port=port)
        yield smsc


def carrier(port: int, password: str = "right", **settings: object) -> Carrier:
    return Carrier(
        "127.0.0.1",
        port,
        Bind("mesh", password),
        reconnect_seconds_min=0.01,
        reconnect_seconds_max=0.05,
        **settings,
    )


@contextlib.asynccontextmanager
async def client(
    smsc: Smsc, delivered: Delivered = ignore, **settings: object
) -> AsyncIterator[Esme]:
    async with Esme(carrier(smsc.port, **settings), delivered) as esme:
        await esme.wait_bound(5)
        yield esme


def messages(count: int) -> list[SubmitSm]:
    return [SubmitSm("heliograph", str(number), b"hello") for number in range(count)]


def outcomes(answers: Sequence[object]) -> list[str]:
    return [answer.outcome.name for answer in answers]


class Holding:
    """Takes messages and answers none before it is let."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.let = asyncio.Event()

    async def __call__(self, session: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
        self.seen += [pdu.destination_addr for pdu in pdus]
        await self.let.wait()
        return await accept(session, pdus)


async def test_a_batch_is_answered_in_its_order() -> None:
    async with server() as smsc, client(smsc) as esme:
        answers = await esme.submit_many(messages(1000))

    assert [answer.message_id for answer in answers] == [f"id-{n}" for n in range(1000)]
    assert set(outcomes(answers)) == {"ACCEPTED"}


async def test_batches_at_the_same_time_do_not_mix() -> None:
    async with server() as smsc, client(smsc) as esme:
        batches = [messages(count) for count in (1, 50, 300, 7)]
        results = await asyncio.gather(*(esme.submit_many(batch) for batch in batches))

    assert [[a.message_id for a in answers] for answers in results] == [
        [f"id-{n}" for n in range(len(batch))] for batch in batches
    ]


async def test_the_window_is_respected() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc, limits=Limits(window=7)) as esme:
        sending = asyncio.create_task(esme.submit_many(messages(20)))

        await eventually(lambda: len(holding.seen) == 7)
        assert esme.in_flight == 7
        holding.let.set()

        assert outcomes(await sending) == ["ACCEPTED"] * 20


async def test_an_urgent_message_overtakes_a_batch() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc, limits=Limits(window=2)) as esme:
        bulk = asyncio.create_task(esme.submit_many(messages(10)))
        await eventually(lambda: len(holding.seen) == 2)
        urgent = asyncio.create_task(esme.submit_many([SubmitSm("1", "otp")], urgent=True))
        await asyncio.sleep(0)
        holding.let.set()
        await asyncio.gather(bulk, urgent)

    assert holding.seen.index("otp") < 5


async def test_refusals_and_throttling_are_told_apart() -> None:
    codes = [Status.ESME_ROK, Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL, Status.ESME_RINVDSTADR]

    async def pick(_: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
        return [Reply(codes[int(pdu.destination_addr) % 4], "x") for pdu in pdus]

    async with server(pick) as smsc, client(smsc) as esme:
        answers = await esme.submit_many(messages(4))

    assert outcomes(answers) == ["ACCEPTED", "THROTTLED", "THROTTLED", "REFUSED"]
    assert [answer.status for answer in answers] == codes
    assert [answer.message_id for answer in answers] == ["x", "", "", ""]


async def test_a_throttled_client_pauses_before_it_sends_more() -> None:
    times: list[float] = []

    async def full(_: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
        times.extend(asyncio.get_running_loop().time() for _ in pdus)
        return [Reply(Status.ESME_RTHROTTLED)] * len(pdus)

    async with server(full) as smsc, client(smsc, limits=Limits(window=1)) as esme:
        await esme.submit_many(messages(3))

    assert times[1] - times[0] >= 0.09
    assert times[2] - times[1] >= 0.19


async def test_the_rate_of_the_contract_is_kept() -> None:
    async with server() as smsc, client(smsc, submits_per_second=200) as esme:
        loop = asyncio.get_running_loop()
        started = loop.time()
        answers = await esme.submit_many(messages(60))
        elapsed = loop.time() - started

    assert outcomes(answers) == ["ACCEPTED"] * 60
    assert elapsed >= (60 - 20) / 200 - 0.01


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


async def test_a_batch_that_is_out_of_time_leaves_the_rest_unsent() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc, limits=Limits(window=3)) as esme:
        sending = asyncio.create_task(esme.submit_many(messages(9), timeout_seconds=0.1))
        await asyncio.wait({sending}, timeout=0.2)
        assert not sending.done()
        holding.let.set()

        assert outcomes(await sending) == ["ACCEPTED"] * 3 + ["NOT_SENT"] * 6
    assert len(holding.seen) == 3


async def test_a_cancelled_batch_writes_nothing_more() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc, limits=Limits(window=3)) as esme:
        sending = asyncio.create_task(esme.submit_many(messages(9)))
        await eventually(lambda: len(holding.seen) == 3)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        holding.let.set()

        assert outcomes(await esme.submit_many([SubmitSm("1", "next")])) == ["ACCEPTED"]
    assert holding.seen == ["0", "1", "2", "next"]


async def test_an_answer_that_does_not_come_is_unknown_and_one_that_comes_late_is_passed_over() -> (
    None
):
    holding = Holding()
    limits = Limits(window=2, response_timeout_seconds=0.2, enquire_link_seconds=60)
    async with server(holding) as smsc, client(smsc, limits=limits) as esme:
        assert outcomes(await esme.submit_many(messages(2))) == ["UNKNOWN"] * 2
        holding.let.set()

        assert outcomes(await esme.submit_many(messages(3))) == ["ACCEPTED"] * 3


async def test_a_lost_link_is_made_again() -> None:
    async with server() as smsc, client(smsc) as esme:
        [first] = smsc.sessions
        first.drop("cut by the test")
        await eventually(lambda: esme.is_bound and smsc.sessions not in ([], [first]))

        assert outcomes(await esme.submit_many(messages(1))) == ["ACCEPTED"]


async def test_a_carrier_that_comes_back_is_found() -> None:
    async with server() as smsc:
        port = smsc.port
        esme = Esme(carrier(port), ignore)
        esme.start()
        await esme.wait_bound(5)
    await eventually(lambda: isinstance(esme.failure, UnreachableError))

    async with server(port=port):
        await esme.wait_bound(5)
        assert esme.failure is None
        await esme.close()


async def test_a_wrong_password_is_told_as_such() -> None:
    async with (
        server() as smsc,
        Esme(carrier(smsc.port, "wrong"), ignore) as esme,
    ):
        with pytest.raises(BindRefusedError, match=r"ESME_RINVPASWD.*check system_id") as raised:
            await esme.wait_bound(0.3)

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
        with pytest.raises(UnreachableError, match="check host and port"):
            await esme.wait_bound(0.3)


async def test_a_host_that_does_not_answer_binds_is_told_as_such() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as deaf:
        port = deaf.sockets[0].getsockname()[1]
        async with Esme(carrier(port), ignore) as esme:
            with pytest.raises(BindUnansweredError, match="speaks SMPP"):
                await esme.wait_bound(0.3)


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

        await asyncio.wait_for(esme.close(grace_seconds=0.1), 2)

        assert outcomes(await sending) == ["UNKNOWN"]
        assert outcomes(await esme.submit_many(messages(1))) == ["NOT_SENT"]
        holding.let.set()


async def test_a_transmitter_gets_no_messages() -> None:
    async with server() as smsc:
        sender = Carrier(
            "127.0.0.1", smsc.port, Bind("mesh", "right", command=Command.BIND_TRANSMITTER)
        )
        async with Esme(sender, ignore) as esme:
            await esme.wait_bound(5)
            answers = await smsc.sessions[0].exchange([DeliverSm("1", "2")])

    assert [answer.status for answer in answers] == [Status.ESME_RINVBNDSTS]


async def test_a_message_with_a_field_too_long_fails_alone() -> None:
    async with server() as smsc, client(smsc) as esme:
        answers = await esme.submit_many(
            [SubmitSm("1", "2"), SubmitSm("1", "3" * 30), SubmitSm("1", "4")]
        )

    assert [answer.outcome for answer in answers] == [
        Outcome.ACCEPTED,
        Outcome.REFUSED,
        Outcome.ACCEPTED,
    ]
