"""The ClickHouse engine inside this process (chdb): one connection for each query."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, cast

import chdb
from mesh.embedded.clickhouse_query import Query, UnsupportedError
from mesh.embedded.clickhouse_statement import DataInsert, output_format, split_data_insert

_MAX_SESSIONS = 1000
_APPEND_BYTES = 1024 * 1024
_SESSION_STATEMENT = re.compile(r"\s*(?:SET|USE)\s", re.IGNORECASE)
_TEMPORARY = re.compile(r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?TEMPORARY\s", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# For one machine: the engine's own defaults expect a server's memory and cores.
_CONFIGURATION = """\
<clickhouse>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>2</background_schedule_pool_size>
  <mark_cache_size>134217728</mark_cache_size>
  <index_mark_cache_size>33554432</index_mark_cache_size>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <logger><level>none</level></logger>
</clickhouse>
"""


@dataclass(frozen=True)
class Result:
    """`rows` are those written by an insert, and those read by any other statement."""

    body: bytes
    format: str
    rows_read: int = 0
    rows_written: int = 0
    elapsed_seconds: float = 0.0


class Engine:
    """Safe to call from several threads; every query has settings of its own.

    Raises RuntimeError with ClickHouse's text, "Code: 60. DB::Exception: …".
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder.with_name("config.xml")
        configuration.write_text(_CONFIGURATION)
        self._target = f"{folder}?config-file={configuration}"
        # The engine lives as long as one connection to it does.
        self._first = _connect(self._target)
        self._sessions = _Sessions()

    def close(self) -> None:
        """End the engine; what was acknowledged is in the folder with or without it."""
        self._first.close()

    def run(self, query: Query) -> Result:
        """Run one statement to its end."""
        connection = _connect(self._target)
        try:
            for preparation in self._preparations(query):
                connection.query(preparation, "TabSeparated", params={})
            insert = split_data_insert(query.text)
            if insert is not None:
                return _insert(connection, insert)
            return self._query(connection, query)
        finally:
            connection.close()

    def _preparations(self, query: Query) -> Iterable[str]:
        if query.database:
            yield f"USE {_quoted(query.database, '`')}"
        yield from self._sessions.statements(query.session_id)
        if query.settings:
            yield "SET " + ", ".join(
                f"{_setting_name(name)} = {_quoted(value)}"
                for name, value in query.settings.items()
            )

    def _query(self, connection: Any, query: Query) -> Result:
        sql = query.text.decode()
        if _TEMPORARY.match(sql):
            raise UnsupportedError("temporary tables are not served; make an ordinary table")
        wanted = output_format(sql) or query.default_format
        result = connection.query(sql, wanted, params=dict(query.parameters))
        if query.session_id and _SESSION_STATEMENT.match(sql):
            self._sessions.remember(query.session_id, sql)
        return Result(result.bytes(), wanted, result.rows_read(), elapsed_seconds=result.elapsed())


class _Sessions:
    """What SET and USE have said in each session, to be said again to every connection."""

    def __init__(self) -> None:
        self._statements: OrderedDict[str, list[str]] = OrderedDict()
        self._lock = Lock()

    def statements(self, session_id: str) -> list[str]:
        with self._lock:
            return list(self._statements.get(session_id, ()))

    def remember(self, session_id: str, statement: str) -> None:
        with self._lock:
            self._statements.setdefault(session_id, []).append(statement)
            self._statements.move_to_end(session_id)
            if len(self._statements) > _MAX_SESSIONS:
                self._statements.popitem(last=False)


def _insert(connection: Any, insert: DataInsert) -> Result:
    """All rows or none that the client hears of: a failed insert may leave whole blocks behind."""
    inserter = connection.send_insert(insert.statement, insert.format)
    try:
        for start in range(0, len(insert.data), _APPEND_BYTES):
            connection.insert_append(inserter, insert.data[start : start + _APPEND_BYTES])
        done = connection.insert_done(inserter)
    except BaseException:
        connection.insert_cancel(inserter)
        raise
    return Result(b"", "Null", rows_written=done.rows_written(), elapsed_seconds=done.elapsed())


def _setting_name(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise UnsupportedError(f"{name!r} is no name of a setting")
    return name


def _quoted(text: str, quote: str = "'") -> str:
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return f"{quote}{escaped}{quote}"


def _connect(target: str) -> Any:
    """A connection of the binding itself; chdb's classes around it add conversions of results."""
    return cast(Any, chdb)._chdb.connect(target)
