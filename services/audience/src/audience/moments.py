"""Moments as messages carry them."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(moment: datetime) -> Timestamp:
    """The Timestamp of a moment."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message
