"""What a client submits: batches in order, windows, throttling, time that runs out."""

import asyncio
import contextlib
from collections.abc import Sequence

from mesh.smpp import (
    Limits,
    Outcome,
    Reply,
    Session,
    Status,
    SubmitSm,
)
from mesh.testkit.waiting import eventually
from smpp_client import (
    Holding,
    client,
    messages,
    outcomes,
    server,
)


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


async def test_a_batch_that_is_out_of_time_leaves_the_rest_unsent() -> None:
    holding = Holding()
    async with server(holding) as smsc, client(smsc, limits=Limits(window=3)) as esme:
        sending = asyncio.create_task(esme.submit_many(messages(9), timeout_seconds=0.5))
        await eventually(lambda: len(holding.seen) == 3)
        await asyncio.wait({sending}, timeout=0.5)
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
    limits = Limits(window=2, response_timeout_seconds=0.5, enquire_link_seconds=60)
    async with server(holding) as smsc, client(smsc, limits=limits) as esme:
        assert outcomes(await esme.submit_many(messages(2))) == ["UNKNOWN"] * 2
        holding.let.set()

        async def are_accepted() -> bool:
            return outcomes(await esme.submit_many(messages(3))) == ["ACCEPTED"] * 3

        await eventually(are_accepted)


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
