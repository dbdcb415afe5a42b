"""The one place that asks what time it is."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> Timestamp:
    """A moment as protobuf writes it."""
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def moment(timestamp: Timestamp) -> datetime:
    """A protobuf time as a moment in UTC, to the microsecond."""
    return timestamp.ToDatetime(tzinfo=UTC)
