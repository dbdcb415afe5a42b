"""Answers in the shape of google.rpc.Status as JSON, which FCM gives for every error."""

from http import HTTPStatus
from typing import Any

import orjson
from mesh.embedded.http_server import Response

from localmesh.peers.fcm.behaviour import ErrorCode

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

_ERRORS: dict[ErrorCode, tuple[HTTPStatus, str, str]] = {
    "UNREGISTERED": (HTTPStatus.NOT_FOUND, "NOT_FOUND", "Requested entity was not found."),
    "INVALID_ARGUMENT": (
        HTTPStatus.BAD_REQUEST,
        "INVALID_ARGUMENT",
        "The registration token is not a valid FCM registration token",
    ),
    "SENDER_ID_MISMATCH": (HTTPStatus.FORBIDDEN, "PERMISSION_DENIED", "SenderId mismatch"),
    "QUOTA_EXCEEDED": (
        HTTPStatus.TOO_MANY_REQUESTS,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'Send requests'",
    ),
    "UNAVAILABLE": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        "The service is currently unavailable.",
    ),
    "INTERNAL": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "INTERNAL",
        "Internal error encountered.",
    ),
    "THIRD_PARTY_AUTH_ERROR": (
        HTTPStatus.UNAUTHORIZED,
        "UNAUTHENTICATED",
        "Auth error from APNS or Web Push Service",
    ),
}
_WITH_RETRY_AFTER = ("QUOTA_EXCEEDED", "UNAVAILABLE")


def ok(content: dict[str, Any]) -> Response:
    """200 with JSON."""
    return _json(HTTPStatus.OK, content, {})


def failure(code: ErrorCode, retry_after_seconds: float = 0) -> Response:
    """The answer that carries one of FCM's own error codes."""
    status, name, words = _ERRORS[code]
    headers = {}
    if retry_after_seconds and code in _WITH_RETRY_AFTER:
        headers["retry-after"] = f"{retry_after_seconds:g}"
    return _status(status, name, words, [{"@type": _FCM_ERROR, "errorCode": code}], headers)


def invalid(field: str, words: str) -> Response:
    """400 that names the field, as for a message that is no message."""
    details: list[dict[str, Any]] = [
        {"@type": _FCM_ERROR, "errorCode": "INVALID_ARGUMENT"},
        {"@type": _BAD_REQUEST, "fieldViolations": [{"field": field, "description": words}]},
    ]
    return _status(HTTPStatus.BAD_REQUEST, "INVALID_ARGUMENT", words, details, {})


def unauthenticated() -> Response:
    """401: no access token, an unknown one, or one whose time is over."""
    words = "Request had invalid authentication credentials. Expected OAuth 2 access token."
    headers = {"www-authenticate": 'Bearer realm="https://accounts.google.com/"'}
    return _status(HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED", words, [], headers)


def oauth_error(error: str, words: str) -> Response:
    """An error of the token endpoint, RFC 6749 section 5.2."""
    content = {"error": error, "error_description": words}
    return _json(HTTPStatus.BAD_REQUEST, content, {})


def not_found(path: str) -> Response:
    """404 for a path that is none of FCM's."""
    return _status(HTTPStatus.NOT_FOUND, "NOT_FOUND", f"There is nothing at {path}", [], {})


def _status(
    status: HTTPStatus,
    name: str,
    words: str,
    details: list[dict[str, Any]],
    headers: dict[str, str],
) -> Response:
    error = {"code": status.value, "message": words, "status": name, "details": details}
    return _json(status, {"error": error}, headers)


def _json(status: HTTPStatus, content: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(content), status, {"content-type": "application/json", **headers})
