"""What FCM accepts as a message."""

from typing import Any

import orjson

_TARGETS = ("token", "topic", "condition")
_MAX_PAYLOAD_BYTES = 4096
# https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages#Message
_FIELDS = frozenset(
    {"name", "data", "notification", "android", "webpush", "apns", "fcm_options", "fcmOptions"}
)


class InvalidMessageError(Exception):
    """The message breaks a rule; `field` is where."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def read_message(body: bytes) -> dict[str, Any]:
    """The message of a send request. Raises InvalidMessageError."""
    try:
        request = orjson.loads(body)
    except ValueError as error:
        raise InvalidMessageError("", f"Invalid JSON payload received. {error}") from None
    message = request.get("message") if isinstance(request, dict) else None
    if not isinstance(message, dict):
        raise InvalidMessageError("message", "Message is required")
    _check_fields(message)
    _check_size(message)
    return message


def _check_fields(message: dict[str, Any]) -> None:
    for name in message.keys() - _FIELDS - set(_TARGETS):
        raise InvalidMessageError(f"message.{name}", f'Unknown name "{name}": Cannot find field.')
    targets = [name for name in _TARGETS if message.get(name)]
    if len(targets) != 1:
        raise InvalidMessageError("message", "Exactly one of token, topic and condition is needed")
    for name, value in message.get("data", {}).items():
        if not isinstance(value, str):
            raise InvalidMessageError(f"message.data[{name}]", "Data values must be strings")


def _check_size(message: dict[str, Any]) -> None:
    payload = {name: message[name] for name in ("data", "notification") if name in message}
    if len(orjson.dumps(payload)) > _MAX_PAYLOAD_BYTES:
        raise InvalidMessageError("message", "Message payload is too big: 4096 bytes at most")
