"""What follows from the purpose of a message alone."""

from typing import Final

from heliograph.messaging.v1.content_pb2 import Purpose

PROMOTIONS: Final = frozenset({Purpose.PURPOSE_UNSPECIFIED, Purpose.PROMOTIONAL})
"""Nobody waits for these. Not stated is the stricter."""
