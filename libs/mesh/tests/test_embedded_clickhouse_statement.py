"""Where an INSERT ends and its data begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.embedded.clickhouse_statement import DataInsert, output_format, split_data_insert

INSERTS = [
    (b"INSERT INTO t FORMAT Native\n\x00\xff", "INSERT INTO t ", "Native", b"\x00\xff"),
    (b"insert into t format CSV 1,2", "insert into t ", "CSV", b"1,2"),
    (b"INSERT INTO t FORMAT CSV \r\n\n1", "INSERT INTO t ", "CSV", b"\n1"),
    (b"INSERT INTO t FORMAT Native", "INSERT INTO t ", "Native", b""),
    (b"INSERT INTO t (`format`, b) FORMAT CSV\n1", "INSERT INTO t (`format`, b) ", "CSV", b"1"),
    (
        b"/* FORMAT x */ INSERT INTO d.t SETTINGS a = 'it''s FORMAT CSV' FORMAT TSV\n1",
        "/* FORMAT x */ INSERT INTO d.t SETTINGS a = 'it''s FORMAT CSV' ",
        "TSV",
        b"1",
    ),
    (
        b"-- FORMAT x\nINSERT INTO FUNCTION file('a', 'FORMAT') FORMAT TSV\n1",
        "-- FORMAT x\nINSERT INTO FUNCTION file('a', 'FORMAT') ",
        "TSV",
        b"1",
    ),
]


@pytest.mark.parametrize(("body", "statement", "name", "data"), INSERTS)
def test_an_insert_is_cut_where_its_data_begins(
    body: bytes, statement: str, name: str, data: bytes
) -> None:
    assert split_data_insert(body) == DataInsert(statement, name, data)


@pytest.mark.parametrize(
    "body",
    [
        b"SELECT 1 FORMAT CSV",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH 1 AS x SELECT x FORMAT CSV",
        b"INSERT INTO t VALUES ('FORMAT CSV')",
        b"INSERT INTO t (a) VALUES (1), (2)",
        b"CREATE TABLE t (a Int8)",
        b"",
        b"\xff\xfe",
    ],
)
def test_other_statements_are_left_whole(body: bytes) -> None:
    assert split_data_insert(body) is None


@given(st.binary().filter(lambda data: data[:1] not in b" \t\f\r\n"))
def test_data_comes_through_byte_by_byte(data: bytes) -> None:
    insert = split_data_insert(b"INSERT INTO t (a, b) FORMAT RowBinary\n" + data)
    assert insert is not None
    assert insert.data == data


@given(st.binary())
def test_no_text_upsets_the_cutting(body: bytes) -> None:
    split_data_insert(body)


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT 1", None),
        ("SELECT 1\n FORMAT JSON", "JSON"),
        ("SELECT 1 format Native;", "Native"),
        ("SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "CSV"),
        ("SELECT 'FORMAT CSV'", None),
    ],
)
def test_the_format_at_the_end_of_a_query_is_found(sql: str, name: str | None) -> None:
    assert output_format(sql) == name
