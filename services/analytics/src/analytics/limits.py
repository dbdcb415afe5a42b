"""What an event may be: Pinpoint's limits, checked one event at a time. Pure.

Sources: Pinpoint developer guide, "Quotas" (events), and the `Event` model. Where Pinpoint dropped
an event silently or accepted what it never showed, it is refused with a reason here.
"""

from math import isfinite

from heliograph.analytics.v1.event_pb2 import Event
from mesh.errors import InvalidArgument
from mesh.errors.refusals import invalid

KEYS_MAX = 40
KEY_LENGTH_MAX = 50
VALUE_LENGTH_MAX = 200
EVENT_ID_LENGTH_MAX = 128
EVENT_TYPE_LENGTH_MAX = 100
EVENT_BYTES_MAX = 1_000_000
REQUEST_BYTES_MAX = 4 * 1024 * 1024

AGE_MAX_SECONDS = 10 * 366 * 24 * 3600
"""Ours: an older time is a broken clock."""
AHEAD_MAX_SECONDS = 24 * 3600
"""Ours: clocks of devices are wrong, but not by more than a day."""

CLIENT_TYPES = frozenset(
    {
        *("_session.start", "_session.stop", "_session.pause", "_session.resume"),
        *("_userauth.sign_in", "_userauth.sign_up", "_userauth.auth_fail"),
        "_monetization.purchase",
        *("_campaign.opened_notification", "_campaign.received_foreground"),
        *("_campaign.received_background", "_journey.opened_notification"),
        *("_journey.received_foreground", "_journey.received_background"),
    }
)
"""The types with a leading `_` that clients record; all others are recorded by Heliograph alone."""

SESSION_LENGTHS_MAX = {"session_id": 128}
APP_LENGTHS_MAX = {
    "package_name": 200,
    "title": 200,
    "version": 100,
    "sdk": 200,
    "platform": 100,
    "country": 2,
}
_COUNTRY_LENGTH_MAX = APP_LENGTHS_MAX["country"]
_APP_BYTES_SAFE = sorted(APP_LENGTHS_MAX.values())[1]
"""An `app` of so many bytes has no text that is too long, but perhaps the country."""


def refusal(event: Event, now_seconds: float) -> InvalidArgument | None:
    """Why the event cannot be taken, or None."""
    return (
        _identity(event)
        or _time(event.event_time.seconds, now_seconds)
        or _keys(event)
        or _parts(event)
    )


def size_refusal(event: Event) -> InvalidArgument | None:
    """Of an event in a large request: whether it is too large by itself, by whatever it holds."""
    size_bytes = event.ByteSize()
    if size_bytes > EVENT_BYTES_MAX:
        return invalid("EVENT_TOO_LARGE", "", f"{size_bytes} bytes, more than {EVENT_BYTES_MAX}")
    return None


def refuse_large(size_bytes: int) -> None:
    """Refuse a request that is larger than Pinpoint's 4 MB."""
    if size_bytes > REQUEST_BYTES_MAX:
        raise InvalidArgument(
            "REQUEST_TOO_LARGE",
            f"the request has {size_bytes} bytes, more than {REQUEST_BYTES_MAX}",
            size_bytes=str(size_bytes),
            size_bytes_max=str(REQUEST_BYTES_MAX),
        )


def _identity(event: Event) -> InvalidArgument | None:
    event_id, event_type = event.event_id, event.event_type
    if not 0 < len(event_id) <= EVENT_ID_LENGTH_MAX or "/" in event_id:
        return invalid("EVENT_ID_INVALID", "event_id", "1 to 128 characters without /")
    if not 0 < len(event_type) <= EVENT_TYPE_LENGTH_MAX or "/" in event_type:
        return invalid("EVENT_TYPE_INVALID", "event_type", "1 to 100 characters without /")
    if event_type[0] == "_" and event_type not in CLIENT_TYPES:
        return invalid("EVENT_TYPE_RESERVED", "event_type", f"{event_type} is not a client's")
    if len(event.endpoint_id) > 200 or "/" in event.endpoint_id:
        return invalid("EVENT_FIELD_INVALID", "endpoint_id", "up to 200 characters without /")
    if len(event.user_id) > 200:
        return invalid("EVENT_FIELD_INVALID", "user_id", "up to 200 characters")
    return None


def _time(event_seconds: int, now_seconds: float) -> InvalidArgument | None:
    if not event_seconds:
        return invalid("EVENT_TIME_INVALID", "event_time", "the time is missing")
    if not -AGE_MAX_SECONDS <= event_seconds - now_seconds <= AHEAD_MAX_SECONDS:
        return invalid(
            "EVENT_TIME_INVALID", "event_time", "more than ten years ago, or a day ahead"
        )
    return None


def _keys(event: Event) -> InvalidArgument | None:
    attributes, metrics = event.attributes, event.metrics
    count = len(attributes) + len(metrics)
    if count > KEYS_MAX:
        return invalid("TOO_MANY_ATTRIBUTES", "attributes", f"{count} keys, more than {KEYS_MAX}")
    # Protobuf's maps are twice as slow in `items()` as in being asked for each key.
    for key in attributes:
        if not 0 < len(key) <= KEY_LENGTH_MAX:
            return invalid("ATTRIBUTE_KEY_INVALID", "attributes", "keys have 1 to 50 characters")
        if len(attributes[key]) > VALUE_LENGTH_MAX:
            return invalid(
                "ATTRIBUTE_VALUE_TOO_LONG", f'attributes["{key}"]', "more than 200 characters"
            )
    for key in metrics:
        if not 0 < len(key) <= KEY_LENGTH_MAX:
            return invalid("ATTRIBUTE_KEY_INVALID", "metrics", "keys have 1 to 50 characters")
        if not isfinite(metrics[key]):
            return invalid("METRIC_NOT_FINITE", f'metrics["{key}"]', "not a finite number")
    return None


def _parts(event: Event) -> InvalidArgument | None:
    if event.HasField("session"):
        for field, length_max in SESSION_LENGTHS_MAX.items():
            if len(getattr(event.session, field)) > length_max:
                return _too_long(f"session.{field}", length_max)
    if event.HasField("app"):
        app = event.app
        if app.ByteSize() > _APP_BYTES_SAFE or len(app.country) > _COUNTRY_LENGTH_MAX:
            for field, length_max in APP_LENGTHS_MAX.items():
                if len(getattr(app, field)) > length_max:
                    return _too_long(f"app.{field}", length_max)
    return None


def _too_long(field: str, length_max: int) -> InvalidArgument:
    return invalid("EVENT_FIELD_INVALID", field, f"up to {length_max} characters")
