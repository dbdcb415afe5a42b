"""Which failures of the database pass by themselves, whatever library reports them."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

TRANSIENT_CLASSES = ("08", "40", "53", "57P")
"""SQLSTATE: connection, rollback (serialisation, deadlock), resources, operator intervention."""

TRANSIENT_STATES = ("55P03", "57014")
"""SQLSTATE: lock not available, statement cancelled by its timeout."""


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may well succeed a little later."""
    if isinstance(error, OSError | TimeoutError | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", "")
        return error.connection_invalidated or _transient_state(state) or _ended(error.orig)
    if isinstance(error, asyncpg.PostgresError):
        return _transient_state(error.sqlstate)
    if isinstance(error, asyncpg.InternalClientError):
        return True
    return isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)


def _ended(error: BaseException | None) -> bool:
    """Whether the server ended the connection in this moment: "another operation is in progress".

    SQLAlchemy tells it in words of its own, and keeps the driver's as the cause.
    """
    return error is not None and isinstance(error.__cause__, asyncpg.InternalClientError)


def _transient_state(sqlstate: str | None) -> bool:
    state = sqlstate or ""
    return state.startswith(TRANSIENT_CLASSES) or state in TRANSIENT_STATES
