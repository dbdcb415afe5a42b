"""ClickHouse's failures as errors that say what to do next. Pure."""

from clickhouse_connect.driver.exceptions import ClickHouseError
from mesh.errors import InvalidArgument, Unavailable
from urllib3.exceptions import HTTPError

RETRY_AFTER_SECONDS = 1.0

UNREADABLE_CODES = frozenset({6, 26, 27, 32, 33, 38, 41, 72, 117, 434, 436, 444, 684})
"""The data is to blame, so that sending it again is useless: CANNOT_PARSE_*, CANNOT_READ_ALL_DATA,
ATTEMPT_TO_READ_AFTER_EOF, INCORRECT_DATA, UNKNOWN_PROTOBUF_FORMAT, PROTOBUF_BAD_CAST …"""

QUESTION_CODES = frozenset({36, 42, 43, 46, 47, 62, 179, 184, 215, 456, 457})
"""The question is to blame, and we asked it: SYNTAX_ERROR, UNKNOWN_IDENTIFIER, BAD_ARGUMENTS …"""


def as_error(failure: Exception) -> Exception:
    """What a failed call means: our Error where the caller can act, else the failure itself.

    Everything that may pass is UNAVAILABLE: also a missing table, which is a migration to come.
    """
    code = getattr(failure, "code", None)
    if not isinstance(failure, (ClickHouseError, HTTPError, OSError)) or code in QUESTION_CODES:
        return failure
    if code in UNREADABLE_CODES:
        return InvalidArgument(
            "EVENTS_MALFORMED", "the event store cannot read the events", clickhouse_code=str(code)
        )
    return Unavailable(
        "EVENT_STORE_UNAVAILABLE",
        "the event store does not answer",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
