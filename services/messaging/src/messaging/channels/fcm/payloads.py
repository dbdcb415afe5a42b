"""From a rendered notification to FCM's message. Pure.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from typing import Any

from messaging.channels.outgoing import RenderedPush

Payload = dict[str, Any]


def make(token: str, push: RenderedPush) -> Payload:
    """The request's body. The raw payload is merged over it; whom it is for stays."""
    message: Payload = {}
    notification = {} if push.silent else _notification(push)
    if notification:
        message["notification"] = notification
    data = _data(push)
    if data:
        message["data"] = data
    message |= _platforms(push)
    return {"message": merged(message, push.raw) | {"token": token}}


def merged(under: Payload, over: Payload) -> Payload:
    """Objects are merged, everything else is replaced."""
    result = dict(under)
    for name, value in over.items():
        below = result.get(name)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[name] = merged(below, value) if both else value  # type: ignore[arg-type]  # seen
    return result


def _notification(push: RenderedPush) -> dict[str, str]:
    fields = {"title": push.title, "body": push.body, "image": push.image_url}
    return {name: value for name, value in fields.items() if value}


def _data(push: RenderedPush) -> dict[str, str]:
    """An app finds the link under `url`, unless it is told otherwise."""
    return ({"url": push.url} if push.url else {}) | push.data


def _platforms(push: RenderedPush) -> Payload:
    """A silent push is of normal priority: waking a phone for nothing to see is throttled."""
    android: Payload = {"priority": "NORMAL" if push.silent else "HIGH"}
    apns: Payload = {"payload": {"aps": {"content-available": 1}}} if push.silent else {}
    webpush: Payload = {}
    if push.time_to_live_seconds:
        android["ttl"] = f"{push.time_to_live_seconds}s"
        webpush["headers"] = {"TTL": str(push.time_to_live_seconds)}
    if push.collapse_key:
        android["collapse_key"] = push.collapse_key
        apns["headers"] = {"apns-collapse-id": push.collapse_key}
    if push.url.startswith("https://"):
        webpush["fcm_options"] = {"link": push.url}
    platforms = {"android": android, "apns": apns, "webpush": webpush}
    return {name: fields for name, fields in platforms.items() if fields}
