"""Pace, window and watch: rules without a connection, on a clock that the test turns."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.pace import Pace
from mesh.smpp import Command, Limits, Outcome, Status, SubmitSm
from mesh.smpp.framing import Frame
from mesh.smpp.watch import Verdict, Watch
from mesh.smpp.window import Exchange, Window


@given(
    st.floats(1, 5000),
    st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 500)), min_size=1, max_size=60),
)
def test_a_rate_is_never_exceeded(per_second: float, asks: list[tuple[float, int]]) -> None:
    pace, now, gone = Pace(per_second), 0.0, 0

    for elapsed, wanted in asks:
        now += elapsed
        granted = pace.allowance(wanted, now)
        pace.spend(granted)
        gone += granted

    assert gone <= now * per_second + max(1.0, per_second * 0.1) + 1e-6


@given(st.floats(1, 5000))
def test_a_rate_is_reached_by_who_waits_as_told(per_second: float) -> None:
    pace, now, gone = Pace(per_second), 0.0, 0

    while gone < 200:
        granted = pace.allowance(10, now)
        pace.spend(granted)
        gone += granted
        now += pace.wait_seconds(now) + 1e-6

    assert now <= 200 / per_second * 1.1 + 0.1


def test_one_throttled_burst_pauses_once() -> None:
    pace = Pace(pause_seconds_min=0.1)

    for _ in range(50):
        pace.throttled(sent_at_seconds=1.0, now_seconds=1.1)

    assert pace.allowance(10, 1.15) == 0
    assert pace.wait_seconds(1.1) == pytest.approx(0.1)
    assert pace.allowance(10, 1.21) == 10


def test_each_throttled_burst_doubles_the_pause_up_to_its_limit() -> None:
    pace, now, pauses = Pace(pause_seconds_min=0.1, pause_seconds_max=1.0), 0.0, []

    for _ in range(6):
        pace.throttled(now, now + 0.01)
        pauses.append(round(pace.wait_seconds(now + 0.01), 3))
        now += 2

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_accepted_requests_shorten_the_next_pause() -> None:
    pace = Pace(pause_seconds_min=0.1)
    pace.throttled(0.0, 0.0)

    for _ in range(100):
        pace.accepted()
    pace.throttled(1.0, 1.0)

    assert pace.wait_seconds(1.0) == pytest.approx(0.1)


def frame(sequence: int, status: int = 0, command: int = Command.SUBMIT_SM_RESP) -> Frame:
    return Frame(command, status, sequence, b"id-%d\0" % sequence)


def messages(count: int) -> list[SubmitSm]:
    return [SubmitSm("1", str(number)) for number in range(count)]


async def test_answers_stand_where_their_requests_stood() -> None:
    window, exchange = Window(10, Pace()), Exchange(messages(3))
    window.add(exchange)

    assert len(window.take(0.0)) == 3
    window.settle(frame(3), 0.1)
    window.settle(frame(1, Status.ESME_RINVDSTADR), 0.1)
    window.settle(frame(2, Status.ESME_RMSGQFUL), 0.1)

    assert exchange.done.done()
    assert [(a.outcome, a.message_id) for a in exchange.answers] == [
        (Outcome.REFUSED, ""),
        (Outcome.THROTTLED, ""),
        (Outcome.ACCEPTED, "id-3"),
    ]


async def test_a_nack_refuses_its_request() -> None:
    window, exchange = Window(10, Pace()), Exchange(messages(1))
    window.add(exchange)
    window.take(0.0)

    assert window.settle(frame(1, Status.ESME_RINVCMDID, Command.GENERIC_NACK), 0.1)
    assert exchange.answers[0].outcome is Outcome.REFUSED


async def test_answers_nobody_asked_for_change_nothing() -> None:
    window, exchange = Window(10, Pace()), Exchange(messages(1))
    window.add(exchange)
    window.take(0.0)

    assert not window.settle(frame(2), 0.1)
    assert not window.settle(frame(1, command=Command.DELIVER_SM_RESP), 0.1)
    assert len(window) == 1


@given(st.integers(1, 9), st.lists(st.integers(1, 9), min_size=1, max_size=6), st.randoms())
async def test_every_request_is_settled_once_within_the_window(
    size: int, batches: list[int], random: object
) -> None:
    window = Window(size, Pace())
    exchanges = [Exchange(messages(count)) for count in batches]
    for exchange in exchanges:
        window.add(exchange, urgent=random.random() < 0.5)
    in_flight: list[int] = []
    sequence = 0

    while True:
        taken = window.take(0.0)
        in_flight += range(sequence + 1, sequence + len(taken) + 1)
        sequence += len(taken)
        assert len(in_flight) == len(window) <= size
        if not in_flight:
            break
        random.shuffle(in_flight)
        assert window.settle(frame(in_flight.pop()), 0.0)

    ids = [answer.message_id for exchange in exchanges for answer in exchange.answers]
    assert len(set(ids)) == len(ids) == sum(batches)
    assert all(exchange.done.done() for exchange in exchanges)


async def test_urgent_requests_go_first() -> None:
    window, bulk, urgent = Window(1, Pace()), Exchange(messages(2)), Exchange(messages(1))
    window.add(bulk)
    window.take(0.0)
    window.add(urgent, urgent=True)

    window.settle(frame(1), 0.0)
    window.take(0.0)
    window.settle(frame(2), 0.0)

    assert urgent.done.done()
    assert not bulk.done.done()


async def test_a_lost_link_tells_written_from_unwritten() -> None:
    window, exchange = Window(2, Pace()), Exchange(messages(4))
    window.add(exchange)
    window.take(0.0)
    window.settle(frame(1), 0.0)

    window.abandon()

    assert [answer.outcome for answer in exchange.answers] == [
        Outcome.ACCEPTED,
        Outcome.UNKNOWN,
        Outcome.NOT_SENT,
        Outcome.NOT_SENT,
    ]


async def test_a_request_without_answer_ends_unknown_and_frees_its_place() -> None:
    window, exchange = Window(1, Pace()), Exchange(messages(2))
    window.add(exchange)
    window.take(0.0)

    assert window.expire(sent_before_seconds=0.0) == 0
    assert window.expire(sent_before_seconds=0.1) == 1
    assert len(window.take(1.0)) == 1
    assert not window.settle(frame(1), 1.0)
    assert window.settle(frame(2), 1.0)
    assert [a.outcome for a in exchange.answers] == [Outcome.UNKNOWN, Outcome.ACCEPTED]


async def test_a_message_that_cannot_be_written_fails_alone() -> None:
    window = Window(1, Pace())
    exchange = Exchange([SubmitSm("1", "9" * 30), SubmitSm("1", "2")])
    window.add(exchange)

    assert window.take(0.0) == []
    assert window.is_held_back
    assert len(window.take(0.0)) == 1
    window.settle(frame(2), 0.0)
    assert exchange.answers[0] == (Outcome.REFUSED, Status.ESME_RINVDSTADR, "")
    assert exchange.answers[1].outcome is Outcome.ACCEPTED


async def test_sequence_numbers_wrap_and_skip_what_is_in_flight() -> None:
    window, exchange = Window(5, Pace()), Exchange(messages(1))
    window.add(exchange)
    window.take(0.0)
    window._sequence = 0x7FFFFFFF

    assert window.next_sequence() == 2


async def test_an_empty_batch_is_done_at_once() -> None:
    assert Exchange([]).done.done()


async def test_a_withdrawn_batch_ends_when_its_flight_does() -> None:
    window, exchange = Window(1, Pace()), Exchange(messages(3))
    window.add(exchange)
    window.take(0.0)

    exchange.withdraw()
    exchange.withdraw()
    assert not exchange.done.done()
    window.settle(frame(1), 0.0)

    await asyncio.wait_for(exchange.done, 60)
    assert [a.outcome.name for a in exchange.answers] == ["ACCEPTED", "NOT_SENT", "NOT_SENT"]
    assert window.take(0.0) == []


def test_silence_is_asked_about_once_and_then_ends_the_link() -> None:
    watch = Watch(Limits(enquire_link_seconds=10, response_timeout_seconds=5), 0.0)

    verdicts = [watch.look(now) for now in (9.0, 10.0, 11.0, 15.0, 15.1)]

    assert verdicts == [Verdict.WELL, Verdict.ASK, Verdict.WELL, Verdict.WELL, Verdict.GONE]


def test_a_word_ends_the_silence() -> None:
    watch = Watch(Limits(enquire_link_seconds=10, response_timeout_seconds=5), 0.0)
    watch.look(10.0)

    watch.heard(12.0)

    assert [watch.look(now) for now in (16.0, 22.0)] == [Verdict.WELL, Verdict.ASK]
