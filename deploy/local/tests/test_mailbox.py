"""The mail server, over real SMTP."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from localmesh.peers.running import PeerProcess


@pytest.fixture(scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PeerProcess]:
    async with PeerProcess("mailbox", tmp_path_factory.mktemp("mailbox")) as peer:
        yield peer


@pytest.fixture
async def mailbox(process: PeerProcess) -> AsyncIterator[PeerProcess]:
    yield process
    await process.remote.behave_normally()


@pytest.fixture
async def smtp(mailbox: PeerProcess) -> AsyncIterator[aiosmtplib.SMTP]:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=mailbox.ports["smtp"], start_tls=False)
    await client.connect()
    yield client
    client.close()


def _mail(to: str, subject: str = "Grüße") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, subject
    mail.set_content("Hello Zoë,\nthe shoes are here.\n")
    mail.add_alternative("<p>Hello Zoë</p>", subtype="html")
    return mail


async def _entries(mailbox: PeerProcess, to: str) -> list[dict]:
    return [entry async for entry in mailbox.remote.log() if to in entry["recipients"]]


async def test_an_accepted_mail_can_be_read(mailbox, smtp) -> None:
    await smtp.send_message(_mail("reader@example.com"), sender="bounce+1@example.com")
    (entry,) = await _entries(mailbox, "reader@example.com")
    assert entry["kind"] == "accepted"
    assert entry["mail_from"] == "bounce+1@example.com"
    assert entry["subject"] == "Grüße"
    assert entry["text"] == "Hello Zoë,\nthe shoes are here.\n"
    assert entry["html"] == "<p>Hello Zoë</p>\n"
    assert entry["headers"]["To"] == "reader@example.com"


async def test_recipients_are_refused_and_deferred_one_by_one(mailbox, smtp) -> None:
    await mailbox.remote.behave(refuse=["*@gone.example"], defer=["busy@*"])
    refused, _ = await smtp.sendmail(
        "a@example.com",
        ["x@gone.example", "BUSY@example.com", "here@example.com"],
        _mail("here@example.com").as_bytes(),
    )
    assert {address: answer[0] for address, answer in refused.items()} == {
        "x@gone.example": 550,
        "BUSY@example.com": 451,
    }
    assert [e["kind"] for e in await _entries(mailbox, "x@gone.example")] == ["refused"]
    assert [e["kind"] for e in await _entries(mailbox, "BUSY@example.com")] == ["deferred"]
    assert [e["kind"] for e in await _entries(mailbox, "here@example.com")] == ["accepted"]


async def test_a_grey_list_lets_the_second_attempt_through(mailbox, smtp) -> None:
    await mailbox.remote.behave(defer_first=1)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await smtp.send_message(_mail("grey@example.com"))
    await smtp.send_message(_mail("grey@example.com"))
    kinds = [entry["kind"] for entry in await _entries(mailbox, "grey@example.com")]
    assert kinds == ["deferred", "accepted"]


async def test_the_next_mails_fail_with_the_given_answer(mailbox, smtp) -> None:
    await mailbox.remote.behave(fail_next=1, fail_with="552 5.3.4 Too big")
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await smtp.send_message(_mail("big@example.com"))
    assert refusal.value.code == 552
    await smtp.send_message(_mail("big@example.com"))


async def test_an_answer_can_be_lost_after_the_mail_was_taken(mailbox, smtp) -> None:
    await mailbox.remote.behave(lose_answers=1)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await smtp.send_message(_mail("unsure@example.com"))
    assert [e["kind"] for e in await _entries(mailbox, "unsure@example.com")] == ["accepted"]


async def test_a_slow_server_answers_late(mailbox, smtp) -> None:
    await mailbox.remote.behave(answer_delay_seconds=0.2)
    began = asyncio.get_running_loop().time()
    await smtp.send_message(_mail("slow@example.com"))
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_server_that_wants_a_login_takes_nothing_without(mailbox, smtp) -> None:
    await mailbox.remote.behave(username="shop", password="secret")
    with pytest.raises(aiosmtplib.SMTPResponseException) as refusal:
        await smtp.send_message(_mail("member@example.com"))
    assert refusal.value.code == 530
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await smtp.login("shop", "guess")
    await smtp.login("shop", "secret")
    await smtp.send_message(_mail("member@example.com"))


async def test_the_connection_can_be_secured_with_the_authority_of_the_folder(mailbox) -> None:
    trust = ssl.create_default_context(cafile=mailbox.data_dir / "ca.pem")
    port = mailbox.ports["smtp"]
    async with aiosmtplib.SMTP(
        hostname="127.0.0.1", port=port, start_tls=True, tls_context=trust
    ) as client:
        await client.send_message(_mail("private@example.com"))
    (entry,) = await _entries(mailbox, "private@example.com")
    assert entry["secured"]


async def test_the_journal_outlives_a_killed_server(tmp_path: Path) -> None:
    for kept in (0, 1):
        async with PeerProcess("mailbox", tmp_path) as mailbox:
            assert (await mailbox.remote.count()).get("accepted", 0) == kept
            client = aiosmtplib.SMTP(
                hostname="127.0.0.1", port=mailbox.ports["smtp"], start_tls=False
            )
            async with client:
                await client.send_message(_mail("kept@example.com"))
                await mailbox.process.kill()


async def test_a_taken_port_is_named(mailbox, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="is in use"):
        async with PeerProcess("mailbox", tmp_path, port=mailbox.ports["smtp"]):
            pass
