"""Asking ClickHouse: a few threads around its client, and its failures in our words."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.query import QueryResult
from google.protobuf.message import Message

from analytics.eventstore import failures, wire

Result = TypeVar("Result")
Row = Mapping[str, Any]

CONNECT_TIMEOUT_SECONDS = 5
INSERT_TIMEOUT_SECONDS = 60
THREADS = 8

_TALKATIVE = ("clickhouse_connect", "urllib3.connectionpool")
"""They warn of every attempt that fails, which we raise, and whoever asked tells of once."""

_INSERT_SETTINGS = {
    # Events of many months may come in one insert; refusing them would stop those behind them.
    "max_partitions_per_insert_block": "0",
    "materialized_views_ignore_errors": "0",
    # Repetitions inside one insert may wait for a merge like all others; looking for them here
    # would double the work of an insert.
    "optimize_on_insert": "0",
}
_QUERY_SETTINGS = {
    # Copies of a row are always in one partition, so partitions need not be merged with each other.
    "do_not_merge_across_partitions_select_final": "1",
}


class EventStore:
    """`async with EventStore(url) as store:`. Connects when first asked, and again after failures.

    Everything raises Unavailable with reason `EVENT_STORE_UNAVAILABLE` when ClickHouse cannot be
    reached or is overloaded.
    """

    def __init__(self, url: str, *, query_timeout_seconds: int = 30) -> None:
        self._url = url
        self._query_timeout_seconds = query_timeout_seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="clickhouse")
        self._connecting = Lock()
        self._client: Client | None = None
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> Sequence[Row]:
        """The rows of a SELECT; `{name:Type}` in it are parameters, never text of ours."""
        return await self._run(lambda client: self._query(client, sql, parameters))

    async def column(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> Sequence[Any]:
        """The one column of a SELECT, without an object per row."""
        return await self._run(lambda client: self._column(client, sql, parameters))

    async def command(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement that gives no rows."""
        await self._run(lambda client: client.command(sql, parameters=dict(parameters or {})))

    async def insert(self, table: str, message_type: type[Message], messages: list[bytes]) -> None:
        """Insert serialised messages of one type, each a row of `table`.

        Raises InvalidArgument with reason `EVENTS_MALFORMED` when ClickHouse cannot read one.
        """
        settings = {**_INSERT_SETTINGS, **wire.settings(message_type)}
        block = wire.delimited(messages)
        await self._run(
            lambda client: client.raw_insert(
                table, insert_block=block, settings=settings, fmt="Protobuf"
            )
        )

    async def create_database(self) -> None:
        """Make the database that the address names, unless it exists."""
        parts = urlsplit(self._url)
        database = parts.path.strip("/")
        server = urlunsplit(parts._replace(path="/"))
        async with EventStore(server) as bare:
            await bare.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._close)

    def _query(
        self, client: Client, sql: str, parameters: Mapping[str, object] | None
    ) -> Sequence[Row]:
        return list(self._result(client, sql, parameters).named_results())

    def _column(
        self, client: Client, sql: str, parameters: Mapping[str, object] | None
    ) -> Sequence[Any]:
        columns = self._result(client, sql, parameters).result_columns
        return columns[0] if columns else []

    def _result(
        self, client: Client, sql: str, parameters: Mapping[str, object] | None
    ) -> QueryResult:
        settings = {**_QUERY_SETTINGS, "max_execution_time": str(self._query_timeout_seconds)}
        return client.query(sql, parameters=dict(parameters or {}), settings=settings)

    async def _run(self, work: Callable[[Client], Result]) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._attempt, work)

    def _attempt(self, work: Callable[[Client], Result]) -> Result:
        try:
            return work(self._connected())
        except Exception as failure:
            meant = failures.as_error(failure)
            if meant is failure:
                raise
            raise meant from failure

    def _connected(self) -> Client:
        with self._connecting:
            if self._client is None:
                self._client = clickhouse_connect.get_client(
                    dsn=self._url,
                    # Without a session any number of queries may run at once.
                    autogenerate_session_id=False,
                    connect_timeout=CONNECT_TIMEOUT_SECONDS,
                    send_receive_timeout=max(INSERT_TIMEOUT_SECONDS, self._query_timeout_seconds),
                    # Whoever asks decides whether to ask again.
                    query_retries=0,
                )
            return self._client

    def _close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        if self._client is not None:
            self._client.close()
