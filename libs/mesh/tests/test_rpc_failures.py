"""What drivers raise becomes an error that says what to do, without their words."""

import asyncpg
import nats.errors
import pytest
from mesh.errors import Aborted, Internal, InvalidArgument, NotFound, Unavailable
from mesh.rpc.failures import as_error
from mesh.store import engine
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (asyncpg.SerializationError("secret"), Aborted),
        (asyncpg.DeadlockDetectedError("secret"), Aborted),
        (asyncpg.LockNotAvailableError("secret"), Aborted),
        (asyncpg.TooManyConnectionsError("secret"), Unavailable),
        (asyncpg.ConnectionDoesNotExistError("secret"), Unavailable),
        (asyncpg.AdminShutdownError("secret"), Unavailable),
        (asyncpg.QueryCanceledError("secret"), Unavailable),
        (asyncpg.InterfaceError("connection is closed: secret"), Unavailable),
        (asyncpg.CharacterNotInRepertoireError("secret"), InvalidArgument),
        (asyncpg.UntranslatableCharacterError("secret"), InvalidArgument),
        (asyncpg.UndefinedTableError("secret"), Internal),
        (asyncpg.UniqueViolationError("secret"), Internal),
        (ConnectionRefusedError("secret"), Unavailable),
        (TimeoutError("secret"), Unavailable),
        (nats.errors.NoRespondersError(), Unavailable),
        (nats.errors.TimeoutError(), Unavailable),
        (FileNotFoundError("secret"), Internal),
        (KeyError("secret"), Internal),
    ],
)
def test_a_failure_of_a_driver_is_translated_without_its_words(failure, kind):
    error = as_error(failure)
    assert type(error) is kind
    assert "secret" not in error.message


def test_our_own_errors_pass_as_they_are():
    error = NotFound("X", "x")
    assert as_error(error) is error


async def test_what_sqlalchemy_wraps_is_seen_through(database):
    sqlalchemy = engine.create(database)
    raises = "DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '{}'; END $$"
    try:
        for state, kind in (("40001", Aborted), ("57P01", Unavailable), ("22012", Internal)):
            async with sqlalchemy.connect() as connection:
                with pytest.raises(DBAPIError) as failure:
                    await connection.execute(text(raises.format(state)))
            assert type(as_error(failure.value)) is kind
    finally:
        await sqlalchemy.dispose()


async def test_a_database_that_is_away_is_unavailable(database):
    sqlalchemy = engine.create(database.replace("test_", "nowhere_"))
    with pytest.raises((DBAPIError, OSError, asyncpg.PostgresError)) as failure:
        async with sqlalchemy.connect():
            pass
    await sqlalchemy.dispose()
    assert isinstance(as_error(failure.value), Unavailable | Internal)
