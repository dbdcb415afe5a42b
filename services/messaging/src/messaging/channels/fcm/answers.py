"""What FCM's answer means for a message. Pure.

https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
"""

from http import HTTPStatus
from typing import Any

import orjson
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.channels.outcomes import Later, Outcome, Refused, Sent

QUOTA_RETRY_SECONDS = 60.0
TROUBLE_RETRY_SECONDS = 5.0
SETUP_RETRY_SECONDS = 30.0
"""After an answer that speaks of our access and not of the message."""

_FOR_GOOD = frozenset(
    {"UNREGISTERED", "INVALID_ARGUMENT", "SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR"}
)


def outcome(status: int, body: bytes, retry_after: str | None) -> Outcome:
    """What became of the message."""
    answer = _parsed(body)
    if status == HTTPStatus.OK:
        return Sent(str(answer.get("name", "")))
    error = _object(answer.get("error"))
    code = _fcm_code(error) or str(error.get("status") or status)
    words = str(error.get("message", ""))
    if _fcm_code(error) in _FOR_GOOD:
        return Refused(code, words, _reason(code, error))
    if status == HTTPStatus.BAD_REQUEST:
        return Refused(code, words)
    return Later(_delay_seconds(status, retry_after), code)


def is_about_access(status: int, body: bytes) -> bool:
    """Whether the access token was refused, and not the message."""
    error = _object(_parsed(body).get("error"))
    return status == HTTPStatus.UNAUTHORIZED and not _fcm_code(error)


def _reason(code: str, error: dict[str, Any]) -> Reason.ValueType:
    """INVALID_ARGUMENT is said of bad tokens and of bad payloads alike; the details tell.

    Taking one for the other would wipe out an audience because of one bad template.
    """
    if code == "UNREGISTERED" or (code == "INVALID_ARGUMENT" and _names_token(error)):
        return Reason.INVALID_ADDRESS
    return Reason.PROVIDER_REFUSED


def _names_token(error: dict[str, Any]) -> bool:
    violations = [
        violation for detail in _details(error) for violation in detail.get("fieldViolations", [])
    ]
    if violations:
        return any(_object(violation).get("field") == "message.token" for violation in violations)
    return "registration token" in str(error.get("message", ""))


def _fcm_code(error: dict[str, Any]) -> str:
    for detail in _details(error):
        if str(detail.get("@type", "")).endswith("FcmError"):
            return str(detail.get("errorCode", ""))
    return ""


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [_object(detail) for detail in details] if isinstance(details, list) else []


def _delay_seconds(status: int, retry_after: str | None) -> float:
    try:
        asked = float(retry_after) if retry_after else 0.0
    except ValueError:
        asked = 0.0
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return max(0.0, asked) or QUOTA_RETRY_SECONDS
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return max(0.0, asked) or TROUBLE_RETRY_SECONDS
    return SETUP_RETRY_SECONDS


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        return _object(orjson.loads(body))
    except ValueError:
        return {}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
