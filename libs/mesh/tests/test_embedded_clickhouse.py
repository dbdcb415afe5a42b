"""The ClickHouse engine behind HTTP, as clickhouse-connect sees it."""

import asyncio
import gzip
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from mesh.embedded.clickhouse import ClickHouseServer
from mesh.embedded.errors import PortInUseError
from mesh.testkit.waiting import eventually

SCHEMA = 'syntax = "proto3"; message Visit { string id = 1; uint64 number = 2; }'


@pytest.fixture
def client(clickhouse_database: str) -> Iterator[Client]:
    client = clickhouse_connect.get_client(dsn=clickhouse_database)
    client.command("CREATE TABLE visits (id String, number UInt64) ENGINE = MergeTree ORDER BY id")
    yield client
    client.close()


def _count(client: Client) -> int:
    return client.query("SELECT count() FROM visits").first_row[0]


def test_the_client_introduces_itself_and_is_told_version_and_time_zone(client: Client) -> None:
    assert client.server_version.startswith("26.")
    assert str(client.server_tz) == "UTC"
    assert client.ping()


def test_rows_come_back_as_they_went_in(client: Client) -> None:
    rows = [[f"it's\n{number}", number] for number in range(10_000)]
    summary = client.insert("visits", rows, column_names=["id", "number"])
    assert summary.written_rows == 10_000
    found = client.query("SELECT id, number FROM visits ORDER BY number").result_rows
    assert found == [tuple(row) for row in rows]


@pytest.mark.parametrize("compress", [False, "gzip", "lz4"])
def test_inserts_may_be_compressed(
    clickhouse_database: str, client: Client, compress: bool | str
) -> None:
    other = clickhouse_connect.get_client(dsn=clickhouse_database, compress=compress)
    other.insert("visits", [["a", 1]] * 100, column_names=["id", "number"])
    assert _count(other) == 100
    other.close()


@pytest.mark.parametrize("text", ["it's", "\\", "tab\tnew\nline", "x" * 200_000])
def test_parameters_are_bound_by_the_server_whatever_is_in_them(client: Client, text: str) -> None:
    answer = client.query("SELECT {text:String}, {many:Array(UInt8)}", {"text": text, "many": [1]})
    assert answer.first_row == (text, [1])


def test_an_insert_may_select_and_an_insert_may_bring_values(client: Client) -> None:
    client.command("INSERT INTO visits SELECT toString(number), number FROM numbers(5)")
    client.command("INSERT INTO visits (id, number) VALUES ('FORMAT CSV', 2 + 3)")
    assert client.query("SELECT number FROM visits WHERE id = 'FORMAT CSV'").first_row == (5,)
    assert _count(client) == 6


@pytest.mark.parametrize("wanted", ["JSONEachRow", "CSV", "Parquet", "RowBinary", "Native"])
def test_any_format_goes_out_and_comes_in_again(client: Client, wanted: str) -> None:
    client.insert("visits", [["a", 1], ["b", 2]], column_names=["id", "number"])
    rows = client.raw_query("SELECT * FROM visits ORDER BY id", fmt=wanted)
    client.raw_insert("visits", ["id", "number"], rows, fmt=wanted)
    assert _count(client) == 4


def _visits(count: int) -> bytes:
    file = descriptor_pb2.FileDescriptorProto(name="visit.proto", syntax="proto3")
    message = file.message_type.add(name="Visit")
    field = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="id", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    message.field.add(name="number", number=2, type=field.TYPE_UINT64, label=field.LABEL_OPTIONAL)
    pool = DescriptorPool()
    pool.Add(file)
    visit = message_factory.GetMessageClass(pool.FindMessageTypeByName("Visit"))
    encoded = [visit(id=str(n), number=n).SerializeToString() for n in range(1, count + 1)]
    return b"".join(bytes([len(one)]) + one for one in encoded)


def test_protobuf_bytes_are_inserted_with_a_schema_that_comes_along(client: Client) -> None:
    client.raw_insert(
        "visits",
        insert_block=_visits(500),
        fmt="Protobuf",
        settings={
            "format_schema_source": "string",
            "format_schema": SCHEMA,
            "format_schema_message_name": "Visit",
        },
    )
    assert _count(client) == 500
    assert client.query("SELECT sum(number) FROM visits").first_row == (500 * 501 // 2,)


def _post(url: str, query: dict[str, str], body: bytes, **headers: str) -> tuple[int, bytes, dict]:
    request = urllib.request.Request(f"{url}/?{urlencode(query)}", body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def test_the_statement_may_be_in_the_address_and_the_rows_in_the_body(
    clickhouse_server: ClickHouseServer, clickhouse_database: str, client: Client
) -> None:
    query = {
        "database": clickhouse_database.rpartition("/")[2],
        "query": "INSERT INTO visits FORMAT Protobuf",
        "format_schema_source": "string",
        "format_schema": SCHEMA,
        "format_schema_message_name": "Visit",
    }
    body = gzip.compress(_visits(20))
    status, _, headers = _post(clickhouse_server.url, query, body, **{"Content-Encoding": "gzip"})
    assert status == 200
    assert '"written_rows": "20"' in headers["X-ClickHouse-Summary"]
    assert _count(client) == 20


def test_a_repeated_insert_with_the_same_token_is_stored_once(client: Client) -> None:
    client.command("ALTER TABLE visits MODIFY SETTING non_replicated_deduplication_window = 100")
    for _ in range(3):
        settings = {"insert_deduplication_token": "batch 1"}
        client.insert("visits", [["a", 1]], column_names=["id", "number"], settings=settings)
    assert _count(client) == 1
    client.insert("visits", [["a", 1]], column_names=["id", "number"])
    assert _count(client) == 2


def test_what_a_session_has_set_holds_for_that_session_alone(clickhouse_database: str) -> None:
    one, other = (clickhouse_connect.get_client(dsn=clickhouse_database) for _ in range(2))
    one.command("SET max_threads = 1")
    setting = "SELECT toString(getSetting('max_threads'))"
    assert one.query(setting).first_row == ("1",)
    assert other.query(setting).first_row != ("1",)
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM nowhere", 60),
        ("SELEC 1", 62),
        ("SELECT 1 / 'a'", 43),
        ("CREATE TEMPORARY TABLE t (a Int8)", 48),
        ("INSERT INTO visits FORMAT CSV\nx,y", 117),
    ],
)
def test_errors_carry_the_codes_of_clickhouse(client: Client, sql: str, code: int) -> None:
    with pytest.raises(DatabaseError) as refusal:
        client.command(sql)
    assert refusal.value.code == code
    assert _count(client) == 0


def test_an_unknown_setting_is_refused_by_name(clickhouse_server: ClickHouseServer) -> None:
    status, body, headers = _post(
        clickhouse_server.url, {"max_treads": "1", "query": "SELECT 1"}, b""
    )
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (400, "115")
    assert b"max_treads" in body


def test_an_unknown_database_is_refused_by_name(clickhouse_server: ClickHouseServer) -> None:
    status, body, headers = _post(
        clickhouse_server.url, {"database": "gone", "query": "SELECT 1"}, b""
    )
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (404, "81")
    assert b"gone" in body


def test_many_clients_ask_and_insert_at_once(clickhouse_database: str, client: Client) -> None:
    same_id = "SELECT count() FROM visits WHERE id = {id:String}"

    def work(number: int) -> None:
        mine = clickhouse_connect.get_client(dsn=clickhouse_database)
        for batch in range(5):
            rows = [[f"{number}-{batch}", row] for row in range(1000)]
            mine.insert("visits", rows, column_names=["id", "number"])
            found = mine.query(same_id, {"id": rows[0][0]})
            assert found.first_row == (1000,)
        mine.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    assert _count(client) == 30_000


async def test_acknowledged_inserts_survive_a_killed_server(tmp_path: Path) -> None:
    acknowledged = 0

    def insert_until_killed(url: str) -> None:
        nonlocal acknowledged
        client = clickhouse_connect.get_client(dsn=url, query_retries=0)
        client.command("CREATE TABLE kept (number UInt64) ENGINE = MergeTree ORDER BY number")
        while True:
            client.insert("kept", [[acknowledged]] * 100, column_names=["number"])
            acknowledged += 100

    async with ClickHouseServer(tmp_path / "ch") as server:
        url = await server.create_database("events")
        inserting = asyncio.create_task(asyncio.to_thread(insert_until_killed, url))
        await eventually(lambda: acknowledged >= 2000)
        assert server.process is not None
        await server.process.kill()
        with pytest.raises(clickhouse_connect.driver.exceptions.OperationalError):
            await inserting
    async with ClickHouseServer(tmp_path / "ch") as server:
        client = clickhouse_connect.get_client(dsn=server.url_for("events"))
        kept = client.query("SELECT count() FROM kept").first_row[0]
        assert kept in (acknowledged, acknowledged + 100)
        client.close()


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=str(port)):
            await ClickHouseServer(tmp_path / "ch", port=port).start()
