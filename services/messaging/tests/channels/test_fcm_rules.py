"""What FCM is told, and what its answers mean."""

from typing import Any

import orjson
import pytest
from heliograph.messaging.v1.channel_pb2 import Channel, FcmProvider
from heliograph.messaging.v1.reason_pb2 import Reason
from hypothesis import given
from hypothesis import strategies as st
from messaging.channels.fcm import answers, configuration, payloads
from messaging.channels.outcomes import Later, Refused, Sent
from messaging.channels.outgoing import RenderedPush

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def error(code: str, words: str = "words", field: str = "") -> bytes:
    details: list[dict[str, Any]] = [{"@type": FCM_ERROR, "errorCode": code}]
    if field:
        details.append({"@type": BAD_REQUEST, "fieldViolations": [{"field": field}]})
    return orjson.dumps({"error": {"status": "S", "message": words, "details": details}})


@pytest.mark.parametrize(
    ("status", "body", "retry_after", "outcome"),
    [
        (200, b'{"name": "projects/p/messages/1"}', None, Sent("projects/p/messages/1")),
        (
            404,
            error("UNREGISTERED"),
            None,
            Refused("UNREGISTERED", "words", Reason.INVALID_ADDRESS),
        ),
        (
            400,
            error("INVALID_ARGUMENT", field="message.token"),
            None,
            Refused("INVALID_ARGUMENT", "words", Reason.INVALID_ADDRESS),
        ),
        (
            400,
            error("INVALID_ARGUMENT", "not a valid FCM registration token"),
            None,
            Refused(
                "INVALID_ARGUMENT", "not a valid FCM registration token", Reason.INVALID_ADDRESS
            ),
        ),
        (
            400,
            error("INVALID_ARGUMENT", field="message.data[x]"),
            None,
            Refused("INVALID_ARGUMENT", "words", Reason.PROVIDER_REFUSED),
        ),
        (400, b"{}", None, Refused("400")),
        (403, error("SENDER_ID_MISMATCH"), None, Refused("SENDER_ID_MISMATCH", "words")),
        (401, error("THIRD_PARTY_AUTH_ERROR"), None, Refused("THIRD_PARTY_AUTH_ERROR", "words")),
        (429, error("QUOTA_EXCEEDED"), None, Later(60.0, "QUOTA_EXCEEDED")),
        (429, error("QUOTA_EXCEEDED"), "7", Later(7.0, "QUOTA_EXCEEDED")),
        (503, error("UNAVAILABLE"), "soon", Later(5.0, "UNAVAILABLE")),
        (500, b"<html>", None, Later(5.0, "500")),
        (
            403,
            b'{"error": {"status": "PERMISSION_DENIED"}}',
            None,
            Later(30.0, "PERMISSION_DENIED"),
        ),
        (404, b'{"error": {"status": "NOT_FOUND"}}', None, Later(30.0, "NOT_FOUND")),
    ],
)
def test_answers_mean_an_outcome(
    status: int, body: bytes, retry_after: str | None, outcome: object
) -> None:
    assert answers.outcome(status, body, retry_after) == outcome


@given(st.integers(100, 599), st.binary(max_size=100), st.none() | st.text(max_size=5))
def test_any_answer_means_something(status: int, body: bytes, retry_after: str | None) -> None:
    assert answers.outcome(status, body, retry_after) is not None


def test_a_refused_access_token_is_not_the_message_s_fault() -> None:
    assert answers.is_about_access(401, b'{"error": {"status": "UNAUTHENTICATED"}}')
    assert not answers.is_about_access(401, error("THIRD_PARTY_AUTH_ERROR"))
    assert not answers.is_about_access(403, b"{}")


def test_a_notification_is_said_in_fcm_s_words() -> None:
    push = RenderedPush(
        "title",
        "body",
        url="https://shop.example/x",
        image_url="https://shop.example/i.png",
        data={"k": "v"},
        time_to_live_seconds=60,
        collapse_key="news",
    )

    assert payloads.make("token", push) == {
        "message": {
            "token": "token",
            "notification": {
                "title": "title",
                "body": "body",
                "image": "https://shop.example/i.png",
            },
            "data": {"url": "https://shop.example/x", "k": "v"},
            "android": {"priority": "HIGH", "ttl": "60s", "collapse_key": "news"},
            "apns": {"headers": {"apns-collapse-id": "news"}},
            "webpush": {
                "headers": {"TTL": "60"},
                "fcm_options": {"link": "https://shop.example/x"},
            },
        }
    }


def test_a_silent_push_shows_nothing() -> None:
    push = RenderedPush("title", "body", data={"k": "v"}, silent=True)

    message = payloads.make("token", push)["message"]

    assert "notification" not in message
    assert message["data"] == {"k": "v"}
    assert message["android"] == {"priority": "NORMAL"}
    assert message["apns"] == {"payload": {"aps": {"content-available": 1}}}


def test_the_raw_payload_is_merged_over_the_message_but_not_over_the_recipient() -> None:
    push = RenderedPush(
        "title",
        "body",
        raw={"token": "eve", "android": {"ttl": "5s"}, "notification": {"title": "other"}},
    )

    message = payloads.make("token", push)["message"]

    assert message["token"] == "token"
    assert message["android"] == {"priority": "HIGH", "ttl": "5s"}
    assert message["notification"] == {"title": "other", "body": "body"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"client_email": "x"}'])
def test_a_key_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key file"):
        configuration.read(Channel(fcm=FcmProvider(service_account_json=text)))
