"""What the code says against what the contract says."""

import re
from pathlib import Path

import analytics
from analytics.consumers import HEARD
from analytics.eventstore import migrate, wire
from heliograph.analytics.v1.error_reason_pb2 import ErrorReason
from heliograph.analytics.v1.event_service_pb2 import PutEventsRequest

SOURCES = Path(analytics.__file__).parent
REFUSAL = re.compile(
    r"(?:InvalidArgument|NotFound|AlreadyExists|ResourceExhausted|Unavailable|Unimplemented|"
    r"refuse|invalid)\(\s*(?:\w+, \w+, |\"[\w.]+\", [^,]+, )?\"([A-Z][A-Z_]+)\""
)


def test_every_reason_is_in_the_contract() -> None:
    used = {
        reason for path in SOURCES.rglob("*.py") for reason in REFUSAL.findall(path.read_text())
    }

    assert len(used) > 15
    assert used <= set(ErrorReason.keys())


def test_every_column_of_a_door_is_a_field_of_its_message() -> None:
    statements = [s for _, _, text in migrate.migrations() for s in migrate.statements(text)]
    for message_type, (_, table) in HEARD.items():
        (door,) = [s for s in statements if f"IF NOT EXISTS {table}\n" in s]
        known = set(re.findall(r"(\w+) = \d+;", wire.schema(message_type.DESCRIPTOR)))

        columns = set(re.findall(r"^\s+(\w+) (?:String|Int|Tuple|Array|Map)", door, re.MULTILINE))

        assert len(columns) > 3
        assert columns <= known


def test_a_request_takes_as_many_events_as_pinpoint() -> None:
    from buf.validate import validate_pb2

    options = PutEventsRequest.DESCRIPTOR.fields_by_name["events"].GetOptions()

    assert options.Extensions[validate_pb2.field].repeated.max_items == 100
