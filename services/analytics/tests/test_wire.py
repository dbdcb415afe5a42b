"""What ClickHouse is told about our protos."""

from analytics.consumers import chunks
from analytics.eventstore import migrate, wire
from google.protobuf.internal.decoder import _DecodeVarint  # type: ignore[attr-defined]
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from hypothesis import given, settings
from hypothesis import strategies as st


def test_a_schema_stands_alone() -> None:
    schema = wire.schema(EventsRecorded.DESCRIPTOR)

    assert schema.startswith('syntax = "proto3"; message heliograph_analytics_v1_EventsRecorded {')
    assert "repeated heliograph_analytics_v1_Event events = 2;" in schema
    assert "map<string, double> metrics = 7;" in schema
    assert "message google_protobuf_Timestamp { int64 seconds = 1; int32 nanos = 2; }" in schema


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**40))
def test_a_varint_is_read_back_by_protobuf(number: int) -> None:
    encoded = wire.varint(number)

    assert _DecodeVarint(encoded, 0) == (number, len(encoded))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20)), st.integers(min_value=1, max_value=50))
def test_chunks_keep_all_messages_in_order_and_are_small(
    messages: list[bytes], bytes_max: int
) -> None:
    pieces = chunks(messages, bytes_max)

    assert [message for piece in pieces for message in piece] == messages
    assert all(len(piece) == 1 or sum(map(len, piece)) <= bytes_max for piece in pieces)


MAY_RUN_AGAIN = ("IF NOT EXISTS", "IF EXISTS", "MODIFY SETTING")


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [number for number, _, _ in migrate.migrations()]

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_statement_of_a_migration_may_run_again() -> None:
    for _, _, text in migrate.migrations():
        for statement in migrate.statements(text):
            assert any(words in statement for words in MAY_RUN_AGAIN)
