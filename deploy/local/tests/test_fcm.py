"""FCM, over real HTTP/2 and TLS."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import jwt
import pytest
from localmesh.peers.fcm.accounts import GRANT_TYPE, SCOPE
from localmesh.peers.running import PeerProcess
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import TransportError

PROJECT = "heliograph-local"


@pytest.fixture(scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PeerProcess]:
    async with PeerProcess("fcm", tmp_path_factory.mktemp("fcm")) as peer:
        yield peer


@pytest.fixture
async def fcm(process: PeerProcess) -> AsyncIterator[PeerProcess]:
    yield process
    await process.remote.behave_normally()


@pytest.fixture
async def client(fcm: PeerProcess) -> AsyncIterator[Client]:
    trusted = (fcm.data_dir / "ca.pem").read_bytes()
    builder = ClientBuilder().base_url(f"https://127.0.0.1:{fcm.ports['https']}/")
    builder = builder.add_root_certificate_pem(trusted).no_proxy().http2_prior_knowledge()
    async with builder.build() as client:
        yield client


def _assertion(fcm: PeerProcess, **changes: object) -> str:
    account = json.loads((fcm.data_dir / "service_account.json").read_text())
    now = int(time.time())
    claims = {
        "iss": account["client_email"],
        "aud": account["token_uri"],
        "scope": SCOPE,
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode({**claims, **changes}, account["private_key"], "RS256")


async def _grant(client: Client, assertion: str) -> tuple[int, dict]:
    form = {"grant_type": GRANT_TYPE, "assertion": assertion}
    answer = await client.post("token").form(form).build().send()
    return answer.status, await answer.json()


@pytest.fixture
async def token(fcm: PeerProcess, client: Client) -> str:
    status, answer = await _grant(client, _assertion(fcm))
    assert status == 200
    return answer["access_token"]


async def _send(client: Client, token: str, message: object) -> tuple[int, dict, dict]:
    request = client.post(f"v1/projects/{PROJECT}/messages:send").bearer_auth(token)
    answer = await request.body_json({"message": message}).build().send()
    return answer.status, await answer.json(), dict(answer.headers)


async def _accepted(fcm: PeerProcess, token: str) -> int:
    log = fcm.remote.log(kind="accepted")
    return len([entry async for entry in log if entry["message"]["token"] == token])


async def test_a_message_of_a_known_caller_is_accepted_and_logged(fcm, client, token) -> None:
    notification = {"title": "Grüße", "body": "Hello"}
    message = {"token": "phone-1", "notification": notification, "data": {"a": "b"}}
    status, answer, _ = await _send(client, token, message)
    assert status == 200
    assert answer["name"].startswith(f"projects/{PROJECT}/messages/")
    (entry,) = [
        entry async for entry in fcm.remote.log(kind="accepted") if entry["message"] == message
    ]
    assert entry["name"] == answer["name"]


@pytest.mark.parametrize("changes", [{"iss": "else@x"}, {"aud": "https://x"}, {"scope": "x"}])
async def test_a_wrong_assertion_is_given_no_token(fcm, client, changes) -> None:
    status, answer = await _grant(client, _assertion(fcm, **changes))
    assert (status, answer["error"]) == (400, "invalid_grant")


async def test_an_assertion_that_is_good_too_long_or_no_more_is_refused(fcm, client) -> None:
    now = int(time.time())
    for until in (now + 7200, now - 300):
        status, _ = await _grant(client, _assertion(fcm, exp=until))
        assert status == 400


async def test_without_a_good_access_token_nothing_is_accepted(fcm, client, token) -> None:
    status, answer, _ = await _send(client, "forged", {"token": "stranger"})
    assert (status, answer["error"]["status"]) == (401, "UNAUTHENTICATED")
    await fcm.remote.call("POST", "/revoke")
    status, _, _ = await _send(client, token, {"token": "stranger"})
    assert status == 401
    assert await _accepted(fcm, "stranger") == 0


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "message"),
        ({"token": "a", "topic": "b"}, "message"),
        ({"token": "a", "data": {"n": 1}}, "message.data[n]"),
        ({"token": "a", "colour": "red"}, "message.colour"),
        ({"token": "a", "data": {"long": "x" * 4096}}, "message"),
        ("text", "message"),
    ],
)
async def test_a_malformed_message_is_refused_by_field(client, token, message, field) -> None:
    status, answer, _ = await _send(client, token, message)
    assert status == 400
    violations = answer["error"]["details"][1]["fieldViolations"]
    assert [violation["field"] for violation in violations] == [field]


@pytest.mark.parametrize(
    ("code", "status"),
    [("UNREGISTERED", 404), ("INVALID_ARGUMENT", 400), ("SENDER_ID_MISMATCH", 403)],
)
async def test_a_token_can_be_answered_with_an_error(fcm, client, token, code, status) -> None:
    await fcm.remote.behave(errors_by_token={"old": code})
    answered, answer, _ = await _send(client, token, {"token": "old"})
    assert answered == status
    assert answer["error"]["details"][0]["errorCode"] == code
    assert (await _send(client, token, {"token": "new"}))[0] == 200
    assert await _accepted(fcm, "old") == 0


@pytest.mark.parametrize(("code", "status"), [("QUOTA_EXCEEDED", 429), ("UNAVAILABLE", 503)])
async def test_the_next_messages_fail_and_say_when_to_retry(
    fcm, client, token, code, status
) -> None:
    await fcm.remote.behave(fail_next=2, fail_with=code, retry_after_seconds=7)
    for _ in range(2):
        answered, _, headers = await _send(client, token, {"token": code})
        assert (answered, headers["retry-after"]) == (status, "7")
    assert (await _send(client, token, {"token": code}))[0] == 200
    assert await _accepted(fcm, code) == 1


async def test_an_answer_can_be_lost_after_the_message_was_taken(fcm, client, token) -> None:
    await fcm.remote.behave(lose_answers=1)
    with pytest.raises(TransportError):
        await _send(client, token, {"token": "unsure"})
    assert await _accepted(fcm, "unsure") == 1


async def test_goaway_loses_nothing_that_was_answered_and_takes_nothing_twice(
    fcm, client, token
) -> None:
    await fcm.remote.behave(requests_per_connection=50)
    answered = 0

    async def send_some() -> None:
        nonlocal answered
        for _ in range(50):
            try:
                status, _, _ = await _send(client, token, {"token": "many"})
            except TransportError:
                continue
            assert status == 200
            answered += 1

    await asyncio.gather(*(send_some() for _ in range(10)))
    assert answered > 400
    assert await _accepted(fcm, "many") == answered


async def test_the_account_and_the_authority_stay_the_same_over_a_restart(tmp_path) -> None:
    kept = []
    for _ in range(2):
        async with PeerProcess("fcm", tmp_path):
            account = json.loads((tmp_path / "service_account.json").read_text())
            kept.append((account["private_key"], (tmp_path / "ca.pem").read_text()))
    assert kept[0] == kept[1]
