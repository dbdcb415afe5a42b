"""Events leave with their transaction, once, whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.wrappers_pb2 import BytesValue, StringValue
from mesh.embedded.nats import NatsServer
from mesh.errors import InvalidArgument, Unavailable
from mesh.eventing import headers, inbox, jetstream, outbox
from mesh.store import engine
from mesh.testkit import eventually
from mesh.testkit.postgres import MigratedDatabase
from nats.aio.client import Client
from nats.js import JetStreamContext
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

Nats = tuple[Client, JetStreamContext]
Sessions = async_sessionmaker[AsyncSession]

MIGRATIONS = Path(__file__).parent / "store_migrations"


@pytest_asyncio.fixture
async def sessions(migrated_database: MigratedDatabase) -> AsyncIterator[Sessions]:
    database_engine = engine.create(await migrated_database(MIGRATIONS))
    yield engine.sessions(database_engine)
    await database_engine.dispose()


async def _announce(sessions: Sessions, *words: str) -> None:
    async with sessions.begin() as session:
        for word in words:
            outbox.publish(session, StringValue(value=word), "shop")


async def _waiting(sessions: Sessions) -> int:
    async with sessions() as session:
        return (await session.exec(select(func.count()).select_from(outbox.OutboxRow))).one()


async def _words(js: JetStreamContext) -> list[str]:
    last = (await js.stream_info("WORDS")).state.last_seq
    stored = [await js.get_msg("WORDS", seq) for seq in range(1, last + 1)]
    return [StringValue.FromString(message.data or b"").value for message in stored]


async def test_a_committed_event_is_published_with_its_trace(
    sessions: Sessions, js: JetStreamContext
) -> None:
    context = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        async with sessions.begin() as session:
            event_id = outbox.publish(
                session,
                StringValue(value="hello"),
                "shop",
                event_time=datetime(2026, 1, 2, tzinfo=UTC),
            )

    assert await outbox.Relay(sessions, js).step() == 1

    stored = await js.get_msg("WORDS", 1)
    assert stored.subject == "google.protobuf.StringValue.shop"
    assert stored.headers == {
        headers.MESSAGE_ID: event_id,
        headers.EVENT_TIME: "2026-01-02T00:00:00Z",
        headers.TRACE_PARENT: f"00-{1:032x}-{2:016x}-01",
    }
    assert await _waiting(sessions) == 0


async def test_events_of_a_transaction_without_a_session_leave_like_others_and_in_order(
    sessions: Sessions, js: JetStreamContext
) -> None:
    gathered = outbox.Gathered()
    sent = datetime(2026, 1, 2, tzinfo=UTC)
    ids = [
        outbox.publish(gathered, StringValue(value=word), "shop", event_time=sent)
        for word in ("one", "two", "three")
    ]
    async with sessions.begin() as session:
        for _ in range(2):  # The second time there is nothing left to write.
            await gathered.write(await engine.raw(session))

    assert await outbox.Relay(sessions, js, ordered=True).step() == 3

    assert await _words(js) == ["one", "two", "three"]
    stored = await js.get_msg("WORDS", 3)
    assert stored.headers == {
        headers.MESSAGE_ID: ids[2],
        headers.EVENT_TIME: "2026-01-02T00:00:00Z",
    }


async def test_an_event_of_a_failed_transaction_never_leaves(
    sessions: Sessions, js: JetStreamContext
) -> None:
    with pytest.raises(ZeroDivisionError):
        await _announce_and_fail(sessions)

    assert await outbox.Relay(sessions, js).step() == 0
    assert await _words(js) == []


async def test_a_crash_between_publish_and_commit_gives_one_event(
    sessions: Sessions, js: JetStreamContext
) -> None:
    await _announce(sessions, "once")
    published = asyncio.Event()

    class PublishesAndHangs:
        """JetStream whose answer is never seen, as when the process dies at that moment."""

        async def publish(self, *args: object, **kwargs: object) -> object:
            await js.publish(*args, **kwargs)  # type: ignore[arg-type]
            published.set()
            return await asyncio.get_running_loop().create_future()

    dying = asyncio.create_task(outbox.Relay(sessions, PublishesAndHangs()).step())  # type: ignore[arg-type]
    await published.wait()
    dying.cancel()
    await asyncio.wait([dying])
    assert await _waiting(sessions) == 1

    assert await outbox.Relay(sessions, js).step() == 1

    assert await _words(js) == ["once"]


async def test_an_event_published_again_after_the_window_is_taken_in_once(
    sessions: Sessions,
) -> None:
    taken = []
    for _ in range(2):
        async with sessions.begin() as session:
            taken.append(await inbox.first_time(session, "event-1", "greeter"))
    async with sessions.begin() as session:
        taken.append(await inbox.first_time(session, "event-1", "another"))

    assert taken == [True, False, True]


async def test_an_event_whose_handling_failed_is_still_new(sessions: Sessions) -> None:
    with pytest.raises(ZeroDivisionError):
        await _take_in_and_fail(sessions)

    async with sessions.begin() as session:
        assert await inbox.first_time(session, "event-1")


async def test_old_events_are_forgotten_in_bounded_steps(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        for n in range(5):
            await inbox.first_time(session, f"event-{n}", f"consumer-{n % 2}")
    later = datetime.now(UTC) + timedelta(minutes=1)

    forgotten = []
    for _ in range(3):
        async with sessions.begin() as session:
            forgotten.append(await inbox.forget(session, later, limit=3))

    assert forgotten == [3, 2, 0]


async def test_relays_share_the_rows(sessions: Sessions, js: JetStreamContext) -> None:
    await _announce(sessions, *(str(n) for n in range(60)))
    relays = [outbox.Relay(sessions, js, batch_max=10) for _ in range(3)]

    moved = 0
    while await _waiting(sessions):
        moved += sum(await asyncio.gather(*(relay.step() for relay in relays)))

    assert moved == 60
    assert sorted(await _words(js), key=int) == [str(n) for n in range(60)]


async def test_a_transaction_that_commits_late_is_not_skipped(
    sessions: Sessions, js: JetStreamContext
) -> None:
    relay = outbox.Relay(sessions, js)
    async with sessions.begin() as late:
        outbox.publish(late, StringValue(value="late"), "shop")
        await late.flush()
        await _announce(sessions, "early")
        await relay.step()
    await relay.step()

    assert await _words(js) == ["early", "late"]


async def test_an_ordered_relay_keeps_the_order_beside_others(
    sessions: Sessions, js: JetStreamContext
) -> None:
    await _announce(sessions, *(str(n) for n in range(40)))
    relays = [outbox.Relay(sessions, js, batch_max=7, ordered=True) for _ in range(3)]

    while await _waiting(sessions):
        await asyncio.gather(*(relay.step() for relay in relays))

    assert await _words(js) == [str(n) for n in range(40)]


async def test_rows_stay_while_no_stream_takes_them(sessions: Sessions, nats: Nats) -> None:
    await _announce(sessions, "patient")
    relay = outbox.Relay(sessions, nats[1])

    with pytest.raises(Unavailable):
        await relay.step()
    assert await _waiting(sessions) == 1

    await jetstream.ensure_stream(nats[1], "WORDS", ["google.protobuf.>"])
    assert await relay.step() == 1


async def test_a_commit_wakes_the_running_relay(sessions: Sessions, js: JetStreamContext) -> None:
    async with outbox.Relay(sessions, js, poll_seconds=60):
        for word in ("one", "two"):
            await _announce(sessions, word)
            await eventually(lambda: _has_stored(js, word))  # noqa: B023  # awaited in the loop


async def test_the_running_relay_outlives_a_restart_of_the_server(
    sessions: Sessions, js: JetStreamContext, fresh_nats_server: NatsServer
) -> None:
    async with outbox.Relay(sessions, js, poll_seconds=0.2):
        await fresh_nats_server.stop()
        await _announce(sessions, "patient")
        await fresh_nats_server.start()

        await eventually(lambda: _has_stored(js, "patient"))

    assert await _words(js) == ["patient"]


async def test_an_event_that_no_server_would_take_is_refused(sessions: Sessions) -> None:
    async with sessions() as session:
        with pytest.raises(InvalidArgument) as caught:
            outbox.publish(session, BytesValue(value=bytes(5 * 1024 * 1024)), "shop")

    assert caught.value.reason == "EVENT_TOO_LARGE"


async def _has_stored(js: JetStreamContext, word: str) -> bool:
    return word in await _words(js)


async def _announce_and_fail(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        outbox.publish(session, StringValue(value="never"), "shop")
        raise ZeroDivisionError


async def _take_in_and_fail(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await inbox.first_time(session, "event-1")
        raise ZeroDivisionError
