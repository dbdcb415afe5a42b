"""What is acknowledged is stored once, whatever is killed meanwhile."""

import asyncio

import pytest
from analytics.eventstore import migrate
from analytics.eventstore.client import EventStore
from analytics_samples import NOW, event, stamp
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1 import report_service_pb2 as reports_pb
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from mesh.embedded.clickhouse import ClickHouseServer
from mesh.embedded.ports import free_port
from mesh.errors import Unavailable
from mesh.eventing import publisher
from mesh.eventing.publisher import Outgoing
from mesh.eventing.subjects import subject_of
from mesh.testkit import eventually
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

BATCH = 50


async def counted(store: EventStore, application: str) -> tuple[int, int]:
    """Events by identity, and ids."""
    (row,) = await store.query(
        "SELECT count() AS events, uniqExact(event_id) AS ids FROM events FINAL"
        " WHERE application = {application:String}",
        {"application": application},
    )
    return row["events"], row["ids"]


async def put_batch(service, application: str, batch: int) -> int:
    """Put batch number `batch`; how many of its events are safe."""
    events = [event(number) for number in range(batch * BATCH, (batch + 1) * BATCH)]
    request = pb.PutEventsRequest(parent=f"applications/{application}", events=events)
    answer = await service.events.PutEvents(request)
    return answer.accepted_count


async def test_a_killed_engine_loses_nothing_that_was_acknowledged(
    serve_with, application, tmp_path
) -> None:
    port = free_port()
    engine = ClickHouseServer(tmp_path, port=port)
    await engine.start()
    async with EventStore(engine.url_for("heliograph")) as store:
        await migrate.migrate(store)
        service = await serve_with(store=store)
        accepted = 0
        for round_number in range(3):
            batches = range(round_number * 20, round_number * 20 + 20)
            putting = asyncio.gather(*(put_batch(service, application, n) for n in batches[:10]))
            assert engine.process is not None
            await engine.process.kill()
            accepted += sum(await putting)
            for batch in batches[10:]:
                accepted += await put_batch(service, application, batch)
            await engine.stop()
            engine = ClickHouseServer(tmp_path, port=port)
            await engine.start()

        async def all_there() -> bool:
            return await counted(store, application) == (accepted, accepted)

        assert accepted == 60 * BATCH
        await eventually(all_there)
    await engine.stop()


async def test_an_engine_that_is_away_is_told_of_once(
    serve_with, application, tmp_path, caplog
) -> None:
    def waited() -> float:
        labels = {"consumer": "analytics-EventsRecorded", "outcome": "wait"}
        return REGISTRY.get_sample_value("heliograph_consumer_messages_total", labels) or 0.0

    port = free_port()
    engine = ClickHouseServer(tmp_path, port=port)
    await engine.start()
    async with EventStore(engine.url_for("heliograph")) as store:
        await migrate.migrate(store)
        service = await serve_with(store=store)
        await engine.stop()
        begun = waited()
        with capture_logs() as lines:
            for batch in range(5):
                await put_batch(service, application, batch)
            await eventually(lambda: waited() > begun + 5)
            engine = ClickHouseServer(tmp_path, port=port)
            await engine.start()

            async def all_there() -> bool:
                return await counted(store, application) == (5 * BATCH, 5 * BATCH)

            await eventually(all_there)
            await eventually(lambda: len(lines) > 1)
    await engine.stop()

    assert [(line["event"], line["reason"]) for line in lines] == [
        ("messages wait", "EVENT_STORE_UNAVAILABLE"),
        ("messages wait no longer", "EVENT_STORE_UNAVAILABLE"),
    ]
    assert [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"] == []


async def test_a_report_says_that_the_store_is_away(serve_with, application) -> None:
    async with EventStore(f"http://127.0.0.1:{free_port()}/heliograph") as nowhere:
        service = await serve_with(store=nowhere)

        accepted = await put_batch(service, application, 0)
        with pytest.raises(Unavailable) as refused:
            await service.reports.QueryActivity(
                reports_pb.QueryActivityRequest(parent=f"applications/{application}"), timeout=60
            )

    assert accepted == BATCH
    assert refused.value.reason == "EVENT_STORE_UNAVAILABLE"
    assert refused.value.retry_after_seconds


async def test_a_batch_delivered_again_in_other_company_counts_once(
    service, event_store, application
) -> None:
    def recorded(*numbers: int) -> EventsRecorded:
        return EventsRecorded(
            application=application,
            events=[event(number) for number in numbers],
            receive_time=stamp(NOW),
        )

    for numbers in (range(100), range(100), range(50, 150), [149], range(100)):
        await publisher.publish(service.js, recorded(*numbers), application)
    await publisher.publish(service.js, recorded(150), application)

    async def last_is_there() -> bool:
        return await counted(event_store, application) == (151, 151)

    await eventually(last_is_there)


async def test_bytes_that_are_no_events_are_set_aside_and_hold_nobody_up(
    service, event_store, application
) -> None:
    async with asyncio.timeout(60):
        for number, data in enumerate([b"\xff\xff nonsense", b"\x12\x05ab"]):
            await publisher.send(
                service.js,
                Outgoing(subject_of(EventsRecorded, application), data, f"bad-{number}"),
            )
    await put_batch(service, application, 0)

    async def stored_and_buried() -> bool:
        letters = await service.js.stream_info("DEAD_LETTERS")
        return letters.state.messages == 2 and await counted(event_store, application) == (
            BATCH,
            BATCH,
        )

    await eventually(stored_and_buried)
