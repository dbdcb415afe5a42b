"""Message ids: derived, so that the same recipient of the same source is the same message.

The layout is that of a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then what is random there
and derived here. The milliseconds are the source's time, so the ledger's daily partition follows
from the id.
"""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = 0xFFF << 64
_RANDOM_B = (1 << 62) - 1


def prefix(source_time: datetime) -> int:
    """The leading bits that all messages of a source share."""
    milliseconds = (source_time - EPOCH) // _MILLISECOND
    return (milliseconds & ((1 << 48) - 1)) << 80 | _VERSION | _VARIANT


def derive(source_prefix: int, application: str, source: str, key: str) -> UUID:
    """The id of the message to recipient `key` of `source` in `application`."""
    digest = sha256("\x00".join((application, source, key)).encode()).digest()
    number = int.from_bytes(digest[:10], "big")
    return UUID(int=source_prefix | (number & _RANDOM_B) | (number << 2 & _RANDOM_A))


def time_of(message_id: UUID) -> datetime:
    """When the message's source began, to the millisecond."""
    return EPOCH + (message_id.int >> 80) * _MILLISECOND


def day_of(message_id: UUID) -> date:
    """The UTC day of the ledger partition the message lies in."""
    return time_of(message_id).date()
