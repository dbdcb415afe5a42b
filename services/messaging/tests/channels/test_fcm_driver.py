"""The FCM driver against an FCM of its own process."""

from collections.abc import AsyncIterator, Callable

import pytest
from heliograph.messaging.v1.channel_pb2 import Channel, FcmProvider
from heliograph.messaging.v1.reason_pb2 import Reason
from localmesh.peers.running import PeerProcess
from mesh.testkit.waiting import eventually
from messaging.channels.fcm.driver import FcmDriver
from messaging.channels.outcomes import Later, Sent, Unknown
from messaging.channels.outgoing import Outgoing, RenderedPush


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PeerProcess]:
    async with PeerProcess("fcm", tmp_path_factory.mktemp("fcm")) as server:
        yield server


@pytest.fixture
async def fcm(server: PeerProcess, monkeypatch: pytest.MonkeyPatch) -> PeerProcess:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.data_dir / "ca.pem"))
    await server.remote.behave_normally()
    return server


def channel(server: PeerProcess, rate_per_second: float = 0, **provider: object) -> Channel:
    base_url = f"https://127.0.0.1:{server.ports['https']}"
    key_file = (server.data_dir / "service_account.json").read_text()
    fcm = FcmProvider(service_account_json=key_file, base_url=base_url)
    fcm.MergeFrom(FcmProvider(**provider))
    return Channel(fcm=fcm, rate_per_second=rate_per_second)


@pytest.fixture
async def driver(fcm: PeerProcess, hearing) -> AsyncIterator[FcmDriver]:
    driver = FcmDriver(channel(fcm), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)
    yield driver
    await driver.close()


@pytest.fixture
def push(outgoing: Callable[..., Outgoing]) -> Callable[..., Outgoing]:
    def make(number: int, token: str = "") -> Outgoing:
        content = RenderedPush(f"push {number}", "body", data={"number": str(number)})
        return outgoing(number, content, token or f"token-{number}")

    return make


async def accepted(fcm: PeerProcess, token: str) -> list[dict]:
    return [
        entry["message"]
        async for entry in fcm.remote.log(kind="accepted")
        if entry["message"]["token"] == token
    ]


async def test_a_set_of_notifications_arrives(driver, fcm, push) -> None:
    outcomes = await driver.hand_over([push(number) for number in range(200)])

    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len({outcome.provider_message_id for outcome in outcomes}) == 200
    [message] = await accepted(fcm, "token-3")
    assert message["notification"] == {"title": "push 3", "body": "body"}


async def test_errors_are_told_apart(driver, fcm, push) -> None:
    await fcm.remote.behave(
        errors_by_token={
            "gone": "UNREGISTERED",
            "bad": "INVALID_ARGUMENT",
            "other": "SENDER_ID_MISMATCH",
            "full": "QUOTA_EXCEEDED",
        },
        retry_after_seconds=3,
    )

    tokens = ["gone", "bad", "other", "full", "fine"]
    gone, bad, other, full, fine = await driver.hand_over([push(1, token) for token in tokens])

    assert (gone.code, gone.reason) == ("UNREGISTERED", Reason.INVALID_ADDRESS)
    assert (bad.code, bad.reason) == ("INVALID_ARGUMENT", Reason.INVALID_ADDRESS)
    assert (other.code, other.reason) == ("SENDER_ID_MISMATCH", Reason.PROVIDER_REFUSED)
    assert full == Later(3.0, "QUOTA_EXCEEDED")
    assert isinstance(fine, Sent)


async def test_trouble_is_for_later(driver, fcm, push) -> None:
    await fcm.remote.behave(fail_next=2, fail_with="UNAVAILABLE")

    outcomes = await driver.hand_over([push(300), push(301)])

    assert outcomes == [Later(5.0, "UNAVAILABLE")] * 2


async def test_a_lost_answer_is_unknown(driver, fcm, push) -> None:
    await fcm.remote.behave(lose_answers=1)

    [outcome] = await driver.hand_over([push(310)])

    assert isinstance(outcome, Unknown)
    assert len(await accepted(fcm, "token-310")) == 1


async def test_nothing_is_lost_or_doubled_by_connections_that_end(driver, fcm, push) -> None:
    await fcm.remote.behave(requests_per_connection=50)
    messages = [push(number, f"ending-{number}") for number in range(400)]
    waiting, outcomes = messages, []

    while waiting:
        answers = await driver.hand_over(waiting)
        outcomes += [answer for answer in answers if not isinstance(answer, Later)]
        waiting = [m for m, a in zip(waiting, answers, strict=True) if isinstance(a, Later)]
        await eventually(lambda: driver.ready)

    arrived = [
        entry["message"]["token"]
        async for entry in fcm.remote.log(kind="accepted")
        if entry["message"]["token"].startswith("ending-")
    ]
    sent = sum(isinstance(outcome, Sent) for outcome in outcomes)
    assert len(outcomes) == 400
    assert len(arrived) == len(set(arrived))
    assert sent <= len(arrived) <= 400
    assert sent >= 380


async def test_a_revoked_access_token_is_renewed(driver, fcm, push) -> None:
    await driver.hand_over([push(320)])
    await fcm.remote.call("POST", "/revoke")

    [outcome] = await driver.hand_over([push(321)])

    assert isinstance(outcome, Sent)


async def test_an_access_token_is_renewed_before_its_time_is_over(fcm, hearing, push) -> None:
    await fcm.remote.behave(access_token_seconds=1)
    driver = FcmDriver(channel(fcm), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)
    before = (await fcm.remote.count())["token_issued"]

    async def renewed() -> bool:
        [outcome] = await driver.hand_over([push(330)])
        assert isinstance(outcome, Sent)
        return (await fcm.remote.count())["token_issued"] > before

    await eventually(renewed)
    await driver.close()


async def test_without_fcm_everything_is_for_later(fcm, hearing, push) -> None:
    away = channel(fcm, base_url="https://127.0.0.1:1", token_url="https://127.0.0.1:1/token")
    driver = FcmDriver(away, hearing)
    await driver.open()

    assert not driver.ready
    assert await driver.hand_over([push(1)]) == [Later(1.0, "not connected")]
    await driver.close()


async def test_an_fcm_that_goes_away_is_left_alone_for_a_moment(fcm, hearing, push) -> None:
    token_url = f"https://127.0.0.1:{fcm.ports['https']}/token"
    driver = FcmDriver(channel(fcm, base_url="https://127.0.0.1:1", token_url=token_url), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)

    outcomes = await driver.hand_over([push(number) for number in range(100)])

    assert all(isinstance(outcome, Later) for outcome in outcomes)
    assert not driver.ready
    await driver.close()


async def test_credentials_can_be_tried(fcm, hearing) -> None:
    assert await FcmDriver(channel(fcm), hearing).verify() == ""

    wrong = channel(fcm, token_url=f"https://127.0.0.1:{fcm.ports['https']}/nothing")
    assert "404" in await FcmDriver(wrong, hearing).verify()


async def test_an_fcm_nobody_vouches_for_is_not_trusted(server, hearing, monkeypatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)

    assert await FcmDriver(channel(server), hearing).verify() != ""
