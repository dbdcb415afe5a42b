"""Long work: recorded, read, waited for and cancelled through google.longrunning.Operations."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from google.longrunning import operations_pb2, operations_pb2_grpc
from mesh import errors
from mesh.aip import operations, request_ids
from mesh.aip.operations_servicer import OperationsServicer
from mesh.rpc import status
from mesh.store import engine, migrate, purging

SERVICE = "google.longrunning.Operations"


def create_tables(connection) -> None:
    op = Operations(MigrationContext.configure(connection))
    operations.create_table(op)
    request_ids.create_table(op)


def create_indexes(connection) -> None:
    op = Operations(MigrationContext.configure(connection))
    operations.create_index(op)
    request_ids.create_index(op)


@pytest.fixture
async def sqlalchemy(database):
    created = engine.create(database)
    async with created.begin() as connection:
        await connection.run_sync(create_tables)
    async with created.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.run_sync(create_indexes)
    yield created
    await created.dispose()


@pytest.fixture
def sessions(sqlalchemy):
    return engine.sessions(sqlalchemy)


@pytest.fixture
def connect(rpc_client, sessions):
    async def make(**options):
        channel = await rpc_client({SERVICE: OperationsServicer(sessions, **options)})
        return operations_pb2_grpc.OperationsStub(channel)

    return make


@pytest.fixture
async def stub(connect):
    return await connect()


@pytest.fixture
def begin(sessions, library):
    async def begin(application: str = "a") -> str:
        async with sessions.begin() as session:
            progress = library.pb.Book(pages=0)
            return operations.name(await operations.create(session, application, progress))

    return begin


async def test_the_migration_makes_what_the_classes_say(database, sqlalchemy):
    await migrate.assert_matches(database, operations.metadata, request_ids.indexed_metadata)


async def test_progress_and_the_answer_can_be_read(stub, sessions, begin, library):
    name = await begin()
    async with sessions.begin() as session:
        await operations.update(session, name, library.pb.Book(pages=5))
    running = await stub.GetOperation(operations_pb2.GetOperationRequest(name=name))
    async with sessions.begin() as session:
        await operations.finish(session, name, library.pb.Author(name="Ann"))
    done = await stub.GetOperation(operations_pb2.GetOperationRequest(name=name))
    progress, answer = library.pb.Book(), library.pb.Author()
    assert running.metadata.Unpack(progress)
    assert done.response.Unpack(answer)
    assert (running.done, progress.pages, done.done, answer.name) == (False, 5, True, "Ann")


async def test_a_failure_is_kept_with_its_reason_and_the_first_end_counts(
    stub, sessions, begin, library
):
    name = await begin()
    async with sessions.begin() as session:
        await operations.fail(session, name, errors.NotFound("BOOK_NOT_FOUND", "gone"))
        await operations.finish(session, name, library.pb.Author())
    done = await stub.GetOperation(operations_pb2.GetOperationRequest(name=name))
    assert not done.HasField("response")
    assert status.to_error(done.error).reason == "BOOK_NOT_FOUND"


async def test_an_operation_that_is_not_there_is_not_found(stub):
    with pytest.raises(errors.NotFound):
        await stub.GetOperation(
            operations_pb2.GetOperationRequest(name="applications/a/operations/x")
        )


async def test_the_operations_of_an_application_are_listed_in_pages(stub, begin):
    mine = {await begin() for _ in range(3)}
    await begin("b")
    request = operations_pb2.ListOperationsRequest(name="applications/a", page_size=2)
    first = await stub.ListOperations(request)
    request.page_token = first.next_page_token
    second = await stub.ListOperations(request)
    assert [len(first.operations), len(second.operations)] == [2, 1]
    assert {each.name for page in (first, second) for each in page.operations} == mine
    assert not second.next_page_token


async def test_waiting_ends_with_the_work(stub, sessions, begin, library):
    name = await begin()
    request = operations_pb2.WaitOperationRequest(name=name)
    request.timeout.FromSeconds(60)

    async def wait() -> operations_pb2.Operation:
        return await stub.WaitOperation(request)

    waiting = asyncio.create_task(wait())
    async with sessions.begin() as session:
        await operations.finish(session, name, library.pb.Author())
    assert (await waiting).done


async def test_waiting_ends_with_its_time(stub, begin):
    request = operations_pb2.WaitOperationRequest(name=await begin())
    request.timeout.FromMilliseconds(100)
    assert not (await stub.WaitOperation(request)).done


async def test_cancelling_reaches_the_worker_with_its_next_progress(stub, sessions, begin, library):
    name = await begin()
    await stub.CancelOperation(operations_pb2.CancelOperationRequest(name=name))
    async with sessions.begin() as session:
        row = await operations.update(session, name, library.pb.Book())
    assert row.cancel_requested


async def test_work_that_cannot_be_stopped_refuses_cancelling(connect, begin):
    stub = await connect(cancellable=False)
    with pytest.raises(errors.FailedPrecondition):
        await stub.CancelOperation(operations_pb2.CancelOperationRequest(name=await begin()))


async def test_operations_that_ended_long_ago_are_purged(sessions, begin, library):
    kept = timedelta(days=90)
    running, ended = await begin(), await begin()
    async with sessions.begin() as session:
        await operations.finish(session, ended, library.pb.Book())

    now = datetime.now(UTC)
    assert await purging.step(sessions, [operations.finished(kept)], now) == 0
    later = now + timedelta(days=91)
    assert await purging.step(sessions, [operations.finished(kept)], later) == 1

    async with sessions() as session:
        assert not (await operations.get(session, running)).done
        with pytest.raises(errors.NotFound):
            await operations.get(session, ended)


async def test_what_operations_tell_is_found_by_its_kind_the_newest_first(sessions):
    kind, other = operations_pb2.Operation, operations_pb2.GetOperationRequest
    for name in ("first", "second"):
        async with sessions.begin() as session:
            await operations.create(session, "shop", kind(name=name))
            await operations.create(session, "shop", other(name=name))
            await operations.create(session, "mall", kind(name="theirs"))

    async with sessions() as session:
        found = await operations.told(session, "shop", kind, 10)
        newest = await operations.told(session, "shop", kind, 2)

    assert [one.name for one in found] == ["second", "first"]
    assert [one.name for one in newest] == ["second"]
