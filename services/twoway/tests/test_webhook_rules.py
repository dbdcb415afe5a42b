"""Which webhooks are allowed, and how posts are signed."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from heliograph.twoway.v1.origination_pb2 import TwoWayWebhook
from mesh.errors import Error
from mesh.sealing import Sealer
from twoway.answering import Answering
from twoway.webhooks import rules, signing
from twoway.webhooks.rules import Webhooks

STRICT = Webhooks(Sealer(base64.b64encode(bytes(32)).decode()))
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

# Of https://www.standardwebhooks.com, the reference implementations' test.
REFERENCE_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REFERENCE_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "uri",
    [
        "http://shop.example.com/in",
        "https:///in",
        "https://user:word@shop.example.com/in",
        "https://shop.example.com:99999/in",
        "https://localhost/in",
        "https://127.0.0.1/in",
        "https://10.1.2.3/in",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/in",
        "https://[::ffff:10.0.0.1]/in",
        "https://[64:ff9b::a00:1]/in",
    ],
)
def test_an_address_that_could_lead_inside_is_refused(uri):
    with pytest.raises(Error) as refused:
        STRICT.change("shop", Answering(), TwoWayWebhook(uri=uri, signing_secret="s"))
    assert refused.value.reason == "WEBHOOK_URI_NOT_ALLOWED"


@pytest.mark.parametrize(
    "webhook", [TwoWayWebhook(uri="https://shop.example.com"), TwoWayWebhook(signing_secret="s")]
)
def test_an_address_needs_a_secret_and_a_secret_an_address(webhook):
    with pytest.raises(Error) as refused:
        STRICT.change("shop", Answering(), webhook)
    assert refused.value.reason == "SIGNING_SECRET_REQUIRED"


def test_without_a_key_no_secret_is_kept():
    webhook = TwoWayWebhook(uri="https://shop.example.com/in", signing_secret="s")
    with pytest.raises(Error) as refused:
        Webhooks().change("shop", Answering(), webhook)
    assert refused.value.reason == "SECRETS_KEY_MISSING"


def test_a_former_secret_signs_for_a_day():
    row = Answering()
    for secret in ("first", "second", "second"):
        webhook = TwoWayWebhook(uri="https://shop.example.com/in", signing_secret=secret)
        STRICT.change("shop", row, webhook)
    assert "second" not in str(row.webhook_secrets)
    now = datetime.now(UTC)
    assert STRICT.secrets("shop", row.webhook_secrets, now) == ["second", "first"]
    later = now + rules.FORMER_SECRET_LIVES + timedelta(seconds=1)
    assert STRICT.secrets("shop", row.webhook_secrets, later) == ["second"]


def test_a_webhook_without_an_address_is_none():
    row = Answering()
    STRICT.change("shop", row, TwoWayWebhook(uri="https://shop.example.com", signing_secret="s"))
    STRICT.change("shop", row, TwoWayWebhook())
    assert (row.webhook_uri, row.webhook_secrets) == ("", {})


def test_signatures_are_those_of_the_reference():
    time = datetime.fromtimestamp(1614265330, UTC)
    headers = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", time, b'{"test": 2432232314}', [REFERENCE_SECRET, "plain"]
    )
    first, second = headers["webhook-signature"].split(" ")
    assert first == REFERENCE_SIGNATURE
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert base64.b64decode(second[3:]) == hmac.digest(b"plain", signed, "sha256")
