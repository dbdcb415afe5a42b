"""A repeated request gets the first answer, also when both come at once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from mesh.aip import request_ids
from mesh.errors import InvalidArgument
from mesh.store import engine, purging
from sqlmodel import select


@pytest.fixture
async def sessions(database):
    """Sessions on a database with the table, made as a migration makes it."""
    sqlalchemy = engine.create(database)
    async with sqlalchemy.begin() as connection:
        await connection.run_sync(
            lambda sync: request_ids.create_table(Operations(MigrationContext.configure(sync)))
        )
    yield engine.sessions(sqlalchemy)
    await sqlalchemy.dispose()


@pytest.fixture
def create(sessions, library):
    """Answers CreateBook once per request id; counts how often it really worked."""

    class Create:
        worked = 0

        async def __call__(self, request, application="a"):
            async def answer():
                self.worked += 1
                return library.pb.Book(name=f"applications/a/books/{self.worked}")

            async with sessions.begin() as session:
                return await request_ids.once(session, request, application, answer)

    return Create()


def request(library, request_id="r1", title="t"):
    return library.pb.CreateBookRequest(request_id=request_id, book={"title": title})


async def test_the_same_request_id_gets_the_first_answer_again(create, library):
    first = await create(request(library))
    assert await create(request(library)) == first
    assert create.worked == 1


@pytest.mark.parametrize(("request_id", "application"), [("r2", "a"), ("r1", "b"), ("", "a")])
async def test_another_id_another_application_or_no_id_is_another_request(
    create, library, request_id, application
):
    await create(request(library))
    await create(request(library, request_id), application)
    assert create.worked == 2


async def test_the_same_id_for_a_different_request_is_refused(create, library):
    await create(request(library))
    with pytest.raises(InvalidArgument) as refusal:
        await create(request(library, title="other"))
    assert refusal.value.reason == "REQUEST_ID_REUSED"
    assert refusal.value.violations[0].field == "request_id"


async def test_of_many_at_once_one_works_and_all_get_its_answer(create, library):
    answers = await asyncio.gather(*(create(request(library)) for _ in range(10)))
    assert create.worked == 1
    assert all(answer == answers[0] for answer in answers)


async def test_what_was_answered_can_be_asked_ahead(sessions, create, library):
    async def answered(asked):
        async with sessions() as session:
            return await request_ids.answered(session, asked, "a", library.pb.Book)

    assert await answered(request(library)) is None
    first = await create(request(library))
    assert await answered(request(library)) == first
    assert await answered(request(library, "")) is None
    with pytest.raises(InvalidArgument) as refusal:
        await answered(request(library, title="other"))
    assert refusal.value.reason == "REQUEST_ID_REUSED"


async def test_a_request_that_failed_was_never_seen(sessions, create, library):
    async def fail():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        async with sessions.begin() as session:
            await request_ids.once(session, request(library), "a", fail)
    await create(request(library))
    assert create.worked == 1


async def test_old_request_ids_are_forgotten(sessions, create, library):
    await create(request(library))
    for older_than, left in ((timedelta(hours=1), 1), (timedelta(0), 0)):
        async with sessions.begin() as session:
            await request_ids.purge(session, older_than)
            rows = (await session.exec(select(request_ids.RequestIdRow))).all()
        assert len(rows) == left


async def test_old_request_ids_are_purged_in_batches(sessions, create, library):
    kept = timedelta(days=30)
    await create(request(library))

    now = datetime.now(UTC)
    assert await purging.step(sessions, [request_ids.aged(kept)], now) == 0
    assert await purging.step(sessions, [request_ids.aged(kept)], now + timedelta(days=31)) == 1
    await create(request(library))
    assert create.worked == 2
