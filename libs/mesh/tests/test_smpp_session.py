"""A server session against a peer that says anything, also what no peer should say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mesh.smpp import (
    Bind,
    Command,
    DeliverSm,
    Limits,
    Reply,
    Session,
    Smsc,
    Status,
    SubmitSm,
    codec,
)
from mesh.smpp.framing import HEADER, Frame, Framer
from mesh.smpp.pdu import Bare
from mesh.testkit.waiting import eventually

UNKNOWN_COMMAND = 0x0103


class Peer:
    """A bare connection: writes octets, reads frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._framer = Framer(1_000_000)
        self._frames: list[Frame] = []

    async def say(self, *octets: bytes) -> None:
        self.writer.write(b"".join(octets))
        await self.writer.drain()

    async def hear(self) -> Frame:
        while not self._frames:
            octets = await asyncio.wait_for(self.reader.read(65536), 60)
            if not octets:
                raise EOFError
            self._frames += self._framer.feed(octets)
        return self._frames.pop(0)

    async def ask(self, octets: bytes) -> Frame:
        await self.say(octets)
        return await self.hear()

    async def bind(self, password: str = "right") -> Frame:
        return await self.ask(codec.encode(Bind("peer", password), 1))


@contextlib.asynccontextmanager
async def server(limits: Limits | None = None) -> AsyncIterator[Smsc]:
    async def submitted(_: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
        return [Reply(message_id=pdu.destination_addr) for pdu in pdus]

    def authenticate(bind: Bind) -> Status:
        return Status.ESME_ROK if bind.password == "right" else Status.ESME_RINVPASWD

    async with Smsc(authenticate=authenticate, submitted=submitted, limits=limits) as smsc:
        smsc.port = await smsc.start()
        yield smsc


@contextlib.asynccontextmanager
async def connected(smsc: Smsc) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture(scope="module")
async def smsc() -> AsyncIterator[Smsc]:
    async with server() as running:
        yield running


@pytest.fixture
async def peer(smsc: Smsc) -> AsyncIterator[Peer]:
    async with connected(smsc) as peer:
        yield peer


async def test_a_message_is_answered_with_its_sequence(peer: Peer) -> None:
    await peer.bind()

    frame = await peer.ask(codec.encode(SubmitSm("1", "42"), 77))

    assert frame == Frame(Command.SUBMIT_SM_RESP, 0, 77, b"42\0")


async def test_an_unknown_command_is_nacked(peer: Peer) -> None:
    await peer.bind()

    frame = await peer.ask(codec.encode_header(UNKNOWN_COMMAND, 5))

    assert frame == Frame(Command.GENERIC_NACK, Status.ESME_RINVCMDID, 5, b"")


async def test_a_broken_body_keeps_the_connection(peer: Peer) -> None:
    await peer.bind()

    broken = await peer.ask(HEADER.pack(20, Command.SUBMIT_SM, 0, 5) + b"\0\1\1\0")
    alive = await peer.ask(codec.encode_header(Command.ENQUIRE_LINK, 6))

    assert broken == Frame(Command.SUBMIT_SM_RESP, Status.ESME_RINVCMDLEN, 5, b"")
    assert alive.command == Command.ENQUIRE_LINK_RESP


async def test_a_wrong_length_is_nacked_and_ends_the_connection(peer: Peer) -> None:
    await peer.bind()

    frame = await peer.ask(HEADER.pack(3, Command.SUBMIT_SM, 0, 5))

    assert frame == Frame(Command.GENERIC_NACK, Status.ESME_RINVCMDLEN, 5, b"")
    with pytest.raises(EOFError):
        await peer.hear()


async def test_a_message_before_the_bind_is_refused(peer: Peer) -> None:
    frame = await peer.ask(codec.encode(SubmitSm("1", "2"), 9))

    assert (frame.command, frame.status) == (Command.SUBMIT_SM_RESP, Status.ESME_RINVBNDSTS)


async def test_a_receiver_may_not_send(peer: Peer) -> None:
    await peer.ask(codec.encode(Bind("peer", "right", command=Command.BIND_RECEIVER), 1))

    frame = await peer.ask(codec.encode(SubmitSm("1", "2"), 9))

    assert frame.status == Status.ESME_RINVBNDSTS


async def test_a_second_bind_is_refused(peer: Peer) -> None:
    await peer.bind()

    frame = await peer.bind()

    assert (frame.command, frame.status) == (Command.BIND_TRANSCEIVER_RESP, Status.ESME_RALYBND)


async def test_a_wrong_password_is_refused_and_ends_the_connection(peer: Peer) -> None:
    frame = await peer.bind("wrong")

    assert frame.status == Status.ESME_RINVPASWD
    with pytest.raises(EOFError):
        await peer.hear()


async def test_a_bind_that_is_too_long_is_refused_by_its_field(peer: Peer) -> None:
    body = b"peer\0" + b"p" * 20 + b"\0\0\x34\0\0\0"

    frame = await peer.ask(HEADER.pack(16 + len(body), Command.BIND_TRANSCEIVER, 0, 1) + body)

    assert frame.status == Status.ESME_RINVPASWD


async def test_responses_are_never_answered(peer: Peer) -> None:
    await peer.bind()

    await peer.say(
        codec.encode_header(Command.SUBMIT_SM_RESP, 500),
        codec.encode_header(Command.GENERIC_NACK, 501, Status.ESME_RSYSERR),
        codec.encode_header(Command.ENQUIRE_LINK_RESP, 502),
        codec.encode_header(0x80000103, 503),
    )
    frame = await peer.ask(codec.encode_header(Command.ENQUIRE_LINK, 6))

    assert frame == Frame(Command.ENQUIRE_LINK_RESP, 0, 6, b"")


async def test_an_unbind_is_answered_and_ends_the_connection(peer: Peer) -> None:
    await peer.bind()

    frame = await peer.ask(codec.encode(Bare(Command.UNBIND), 8))

    assert frame == Frame(Command.UNBIND_RESP, 0, 8, b"")
    with pytest.raises(EOFError):
        await peer.hear()


async def test_a_half_closed_connection_is_let_go(smsc: Smsc, peer: Peer) -> None:
    await peer.bind()
    session = smsc.sessions[-1]

    peer.writer.write_eof()

    with pytest.raises(EOFError):
        await peer.hear()
    await eventually(lambda: session not in smsc.sessions)


async def test_who_does_not_bind_in_time_is_dropped() -> None:
    async with server(Limits(bind_timeout_seconds=0.1)) as smsc, connected(smsc) as peer:
        with pytest.raises((EOFError, ConnectionResetError)):
            await peer.hear()


async def test_who_is_silent_is_asked_and_then_dropped() -> None:
    limits = Limits(enquire_link_seconds=0.1, response_timeout_seconds=0.1)
    async with server(limits) as smsc, connected(smsc) as peer:
        await peer.bind()

        assert (await peer.hear()).command == Command.ENQUIRE_LINK
        with pytest.raises((EOFError, ConnectionResetError)):
            await peer.hear()


async def test_who_answers_enquire_link_stays() -> None:
    limits = Limits(enquire_link_seconds=0.05)
    async with server(limits) as smsc, connected(smsc) as peer:
        await peer.bind()

        # Who is still to answer is not asked again, but dropped.
        for _ in range(5):
            frame = await peer.hear()
            await peer.say(codec.encode_header(Command.ENQUIRE_LINK_RESP, frame.sequence))

        assert len(smsc.sessions) == 1


async def test_a_peer_that_never_reads_is_dropped_and_its_messages_are_unknown() -> None:
    limits = Limits(window=5000, enquire_link_seconds=0.1, response_timeout_seconds=0.2)
    async with server(limits) as smsc, connected(smsc) as peer:
        await peer.bind()
        peer.writer.transport.pause_reading()
        big = [DeliverSm("1", "2", tlvs={0x0424: b"x" * 60_000}) for _ in range(1000)]

        answers = await asyncio.wait_for(smsc.sessions[0].exchange(big), 60)

        outcomes = {answer.outcome.name for answer in answers}
        assert outcomes == {"UNKNOWN", "NOT_SENT"}
        await eventually(lambda: not smsc.sessions)


commands = st.one_of(
    st.sampled_from(Command).filter(lambda command: command != Command.UNBIND),
    st.integers(0, 0xFFFFFFFF).filter(lambda command: command != Command.UNBIND),
)
frames = st.builds(
    lambda command, status, sequence, body: (
        HEADER.pack(HEADER.size + len(body), command, status, sequence) + body
    ),
    commands,
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFF0),
    st.binary(max_size=200),
)
unhurried = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@unhurried
@given(sent=st.lists(frames, max_size=10))
async def test_any_frames_leave_the_session_alive(smsc: Smsc, sent: list[bytes]) -> None:
    async with connected(smsc) as peer:
        await peer.bind()

        await peer.say(*sent, codec.encode_header(Command.ENQUIRE_LINK, 0x7FFFFFF1))

        answered = False
        while not answered:
            frame = await peer.hear()
            answered = frame[:3] == (Command.ENQUIRE_LINK_RESP, 0, 0x7FFFFFF1)


@unhurried
@given(octets=st.binary(max_size=500))
async def test_any_octets_leave_the_server_alive(smsc: Smsc, octets: bytes) -> None:
    async with connected(smsc) as peer:
        with contextlib.suppress(ConnectionError):
            await peer.say(octets)

    async with connected(smsc) as peer:
        assert (await peer.bind()).status == Status.ESME_ROK
