"""The SMTP driver against a mail server of its own process."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from heliograph.messaging.v1.channel_pb2 import Channel, SmtpProvider
from heliograph.messaging.v1.reason_pb2 import Reason
from localmesh.peers.running import PeerProcess
from mesh.testkit.waiting import eventually
from messaging.channels.outcomes import Later, Refused, Sent, Unknown
from messaging.channels.outgoing import Outgoing, RenderedEmail
from messaging.channels.smtp import answers
from messaging.channels.smtp.driver import SmtpDriver


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PeerProcess]:
    async with PeerProcess("mailbox", tmp_path_factory.mktemp("mailbox")) as server:
        yield server


@pytest.fixture
async def mailbox(server: PeerProcess) -> PeerProcess:
    await server.remote.behave_normally()
    return server


@pytest.fixture
def trusting(server: PeerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.data_dir / "ca.pem"))


def channel(server: PeerProcess, rate_per_second: float = 0, **provider: object) -> Channel:
    smtp = SmtpProvider(
        host="127.0.0.1",
        port=server.ports["smtp"],
        security=SmtpProvider.PLAINTEXT,
    )
    smtp.MergeFrom(SmtpProvider(**provider))
    return Channel(smtp=smtp, rate_per_second=rate_per_second)


@pytest.fixture
async def driver(mailbox: PeerProcess, hearing) -> AsyncIterator[SmtpDriver]:
    driver = SmtpDriver(channel(mailbox), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)
    yield driver
    await driver.close()


@pytest.fixture
def mail(outgoing: Callable[..., Outgoing]) -> Callable[..., Outgoing]:
    def make(number: int, address: str = "", subject: str = "") -> Outgoing:
        content = RenderedEmail(subject or f"mail {number}", "plain", "<p>rich</p>")
        to = address or f"to{number}@example.com"
        return outgoing(number, content, to, "Shop <news@shop.example>")

    return make


async def accepted(mailbox: PeerProcess, message: Outgoing) -> list[dict]:
    wanted = f"<{message.message_id}@shop.example>"
    return [
        entry
        async for entry in mailbox.remote.log(kind="accepted")
        if entry["message_id"] == wanted
    ]


async def test_a_set_of_mails_arrives(driver, mailbox, mail) -> None:
    messages = [mail(100 + number) for number in range(40)]

    outcomes = await driver.hand_over(messages)

    assert outcomes == [Sent(str(message.message_id)) for message in messages]
    [entry] = await accepted(mailbox, messages[3])
    assert entry["recipients"] == ["to103@example.com"]
    assert entry["mail_from"] == "news@shop.example"
    assert (entry["subject"], entry["text"]) == ("mail 103", "plain")


async def test_refused_and_deferred_recipients_are_told_apart(driver, mailbox, mail) -> None:
    await mailbox.remote.behave(refuse=["gone@*"], defer=["busy@*"])

    gone, busy, fine = await driver.hand_over(
        [mail(200, "gone@example.com"), mail(201, "busy@example.com"), mail(202)]
    )

    assert gone == Refused(
        "550 5.1.1", "5.1.1 There is nobody of this name", Reason.INVALID_ADDRESS
    )
    assert busy == Later(30.0, "451 4.7.1")
    assert isinstance(fine, Sent)


@pytest.mark.parametrize(
    ("number", "answer", "kind"),
    [(210, "451 4.3.0 later", Later), (211, "550 5.7.515 not compliant", Refused)],
)
async def test_an_answer_to_the_content_counts(driver, mailbox, mail, number, answer, kind) -> None:
    await mailbox.remote.behave(fail_next=1, fail_with=answer)

    [outcome] = await driver.hand_over([mail(number)])

    assert isinstance(outcome, kind)
    assert await accepted(mailbox, mail(number)) == []
    assert isinstance((await driver.hand_over([mail(number)]))[0], Sent)


async def test_a_lost_answer_is_unknown(driver, mailbox, mail) -> None:
    await mailbox.remote.behave(lose_answers=1)

    [outcome] = await driver.hand_over([mail(220)])

    assert isinstance(outcome, Unknown)
    assert len(await accepted(mailbox, mail(220))) == 1
    assert isinstance((await driver.hand_over([mail(221)]))[0], Sent)


async def test_a_connection_that_the_server_closed_is_made_again(driver, mailbox, mail) -> None:
    await driver.hand_over([mail(230)])
    for connection in driver._pool._connections:
        if connection._client is not None:
            connection._client.transport.abort()

    [outcome] = await driver.hand_over([mail(231)])

    assert isinstance(outcome, Sent)
    assert len(await accepted(mailbox, mail(231))) == 1


async def test_a_mail_that_cannot_be_written_is_refused_alone(driver, outgoing, mail) -> None:
    content = RenderedEmail("s", "x", headers=(("From", "eve@example.com"),))

    bad, good = await driver.hand_over(
        [outgoing(240, content, "a@example.com", "a@shop.example"), mail(241)]
    )

    assert bad == Refused("HEADER_INVALID", "From is set by the mesh", Reason.RENDERING_FAILED)
    assert isinstance(good, Sent)


async def test_without_a_server_everything_is_for_later(hearing, mail) -> None:
    driver = SmtpDriver(Channel(smtp=SmtpProvider(host="127.0.0.1", port=1)), hearing)
    await driver.open()

    assert not driver.ready
    assert await driver.hand_over([mail(1)]) == [Later(1.0, "not connected")]
    await driver.close()


async def test_mails_keep_the_pace(mailbox, hearing, mail) -> None:
    driver = SmtpDriver(channel(mailbox, rate_per_second=50), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)

    loop = asyncio.get_running_loop()
    started = loop.time()
    outcomes = await driver.hand_over([mail(250 + number) for number in range(15)])
    elapsed = loop.time() - started
    await driver.close()

    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert elapsed >= (15 - 5) / 50 - 0.01


@pytest.mark.usefixtures("trusting")
async def test_tls_is_a_must_unless_told_otherwise(mailbox, hearing, mail) -> None:
    secured = channel(mailbox)
    secured.smtp.security = SmtpProvider.SECURITY_UNSPECIFIED
    driver = SmtpDriver(secured, hearing)
    await driver.open()
    await eventually(lambda: driver.ready)

    await driver.hand_over([mail(270)])
    await driver.close()

    [entry] = await accepted(mailbox, mail(270))
    assert entry["secured"]


async def test_a_server_nobody_vouches_for_is_not_trusted(mailbox, hearing) -> None:
    secured = channel(mailbox)
    secured.smtp.security = SmtpProvider.STARTTLS

    assert "certificate" in (await SmtpDriver(secured, hearing).verify()).lower()


async def test_credentials_can_be_tried(mailbox, hearing) -> None:
    await mailbox.remote.behave(username="us", password="secret")

    right = await SmtpDriver(channel(mailbox, username="us", password="secret"), hearing).verify()
    wrong = await SmtpDriver(channel(mailbox, username="us", password="x"), hearing).verify()

    assert right == ""
    assert "535" in wrong or "Authentication" in wrong


async def test_a_key_that_is_none_is_told(mailbox, hearing) -> None:
    signed = channel(mailbox, dkim=SmtpProvider.Dkim(domain="d", selector="s", private_key="x"))

    assert "DKIM" in await SmtpDriver(signed, hearing).verify()


@pytest.mark.parametrize(
    ("code", "words", "outcome"),
    [
        (421, "4.3.2 shutting down", Later(30.0, "421 4.3.2")),
        (454, "Throttling failure", Later(30.0, "454")),
        (550, "5.1.1 unknown", Refused("550 5.1.1", "5.1.1 unknown", Reason.INVALID_ADDRESS)),
        (550, "5.7.515 SPF", Refused("550 5.7.515", "5.7.515 SPF", Reason.PROVIDER_REFUSED)),
        (552, "too\nbig", Refused("552", "too big", Reason.PROVIDER_REFUSED)),
    ],
)
def test_answers_mean_an_outcome(code: int, words: str, outcome: object) -> None:
    assert answers.refusal(code, words) == outcome
