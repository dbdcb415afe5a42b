"""Mails as octets: what readers and verifiers make of them."""

import hashlib
from base64 import b64decode
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from messaging.channels.outgoing import Outgoing, RenderedEmail, RenderedPush
from messaging.channels.smtp import dkim, headers, letters, mime
from messaging.channels.smtp.headers import HeaderError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ID = UUID(int=7)
SENDER = "Shop <news@shop.example>"
TO = "anna@example.com"

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300)


def read(content: RenderedEmail, sender: str = SENDER) -> Message:
    return message_from_bytes(mime.build(content, sender, TO, ID, NOW).encode())


def decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


def test_a_mail_has_the_headers_it_must_have() -> None:
    mail = read(
        RenderedEmail("Hello", "text", reply_to_addresses=("A <a@x.example>", "b@x.example"))
    )

    assert mail["From"] == SENDER
    assert mail["To"] == TO
    assert mail["Subject"] == "Hello"
    assert mail["Date"] == "Sat, 21 Nov 2026 12:00:00 +0000"
    assert mail["Message-ID"] == f"<{ID}@shop.example>"
    assert mail["MIME-Version"] == "1.0"
    assert mail["Reply-To"] == "A <a@x.example>,\r\n b@x.example"


def test_two_bodies_are_alternatives_with_the_plain_one_first() -> None:
    mail = read(RenderedEmail("s", "plain", "<p>rich</p>"))

    assert mail.get_content_type() == "multipart/alternative"
    kinds = [
        (part.get_content_type(), part.get_payload(decode=True)) for part in mail.get_payload()
    ]
    assert kinds == [("text/plain", b"plain"), ("text/html", b"<p>rich</p>")]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (RenderedEmail("s", "plain"), "text/plain"),
        (RenderedEmail("s", html_body="<p>rich</p>"), "text/html"),
        (RenderedEmail("s"), "text/plain"),
    ],
)
def test_one_body_stands_alone(content: RenderedEmail, kind: str) -> None:
    assert read(content).get_content_type() == kind


@given(texts)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    subject = " ".join(subject.split()) or "x"

    assert decoded(read(RenderedEmail(subject, "x"))["Subject"]) == subject


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=3000))
def test_a_body_is_read_as_it_was_written(text: str) -> None:
    mail = read(RenderedEmail("s", text or "x"))

    payload = mail.get_payload(decode=True).decode().replace("\r\n", "\n")
    assert payload.removesuffix("\n") == (text or "x").removesuffix("\n")


@given(st.text(max_size=1200), st.text(max_size=50))
def test_no_line_is_too_long_or_cut_by_a_bare_newline(text: str, name: str) -> None:
    content = RenderedEmail("s" + " ".join(name.split()), text, text)

    lines = mime.build(content, SENDER, TO, ID, NOW).split("\r\n")

    assert max(map(len, lines)) <= 998
    assert not any("\n" in line or "\r" in line for line in lines)


@given(texts)
def test_a_name_is_read_as_it_was_written(name: str) -> None:
    name = " ".join(name.replace('"', "").replace("\\", "").split()) or "x"
    address = f'"{name}" <news@shop.example>'

    written, _, bare = read(RenderedEmail("s", "x"), address)["From"].rpartition(" ")

    assert decoded(written).removeprefix('"').removesuffix('"') == name
    assert bare == "<news@shop.example>"


def test_a_list_can_be_left_with_one_click() -> None:
    content = RenderedEmail(
        "s",
        "x",
        headers=(
            ("List-Unsubscribe", "<https://shop.example/u/" + "k" * 200 + ">"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ),
    )

    mail = read(content)

    assert mail["List-Unsubscribe"] == "<https://shop.example/u/" + "k" * 200 + ">"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("name", ["From", "subject", "DKIM-Signature", "bad name", "x:y", "", "ü"])
def test_headers_that_are_ours_or_none_are_refused(name: str) -> None:
    with pytest.raises(HeaderError):
        read(RenderedEmail("s", "x", headers=((name, "value"),)))


def test_a_header_cannot_bring_another() -> None:
    mail = read(RenderedEmail("s", "x", headers=(("X-Tag", "a\r\nBcc: eve@example.com"),)))

    assert mail["Bcc"] is None
    assert mail["X-Tag"] == "a Bcc: eve@example.com"


@pytest.mark.parametrize("sender", ["", "nobody", "Name <>", "a b@c", "x@\u2024"])
def test_who_has_no_address_cannot_send(sender: str) -> None:
    with pytest.raises(HeaderError):
        read(RenderedEmail("s", "x"), sender)


def outgoing(sender: str = SENDER, to: str = TO) -> Outgoing:
    return Outgoing(ID, to, sender, RenderedEmail("s", "x"))


def test_a_foreign_domain_is_written_in_ascii() -> None:
    mail = letters.make(outgoing(to="anna@bücher.example"), "", None, NOW)

    assert mail.recipient == "anna@xn--bcher-kva.example"
    assert not mail.needs_utf8
    assert headers.mailbox("Büro <a@bücher.example>").endswith("<a@xn--bcher-kva.example>")


def test_a_foreign_name_before_the_at_needs_an_extension() -> None:
    assert letters.make(outgoing(to="jürgen@example.com"), "", None, NOW).needs_utf8


def test_a_return_path_names_its_message() -> None:
    assert letters.make(outgoing(), "", None, NOW).sender == "news@shop.example"
    assert letters.make(outgoing(), "b.example", None, NOW).sender == f"bounce+{ID.hex}@b.example"
    assert letters.make(outgoing(), "", None, NOW).reference == str(ID)


def test_a_push_is_no_mail() -> None:
    with pytest.raises(TypeError, match="RenderedPush"):
        letters.make(Outgoing(ID, TO, SENDER, RenderedPush("t")), "", None, NOW)


# RFC 8463, appendix A.
EXAMPLE = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    b"\r\n"
    b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
)
EXAMPLE_SIGNATURE = (
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    b" d=football.example.com; i=@football.example.com;\r\n"
    b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    b" subject : date : message-id : from : subject : date;\r\n"
    b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    b" b="
)
EXAMPLE_PUBLIC_KEY = b64decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
EXAMPLE_B = b64decode(
    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
)


def test_the_example_of_the_standard_verifies() -> None:
    head, _, body = EXAMPLE.partition(b"\r\n\r\n")
    names = ("from", "to", "subject", "date", "message-id", "from", "subject", "date")

    data = dkim.signed_data(head, EXAMPLE_SIGNATURE, names)

    assert dkim.body_hash(body) == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    key = ed25519.Ed25519PublicKey.from_public_bytes(EXAMPLE_PUBLIC_KEY)
    key.verify(EXAMPLE_B, hashlib.sha256(data).digest())


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()]
)
def test_a_signature_verifies(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signed = dkim.Signer("football.example.com", "s1", pem.decode()).sign(EXAMPLE, NOW)

    header, mail = signed[: -len(EXAMPLE)], signed[-len(EXAMPLE) :]
    unsigned, _, signature = header.rstrip().rpartition(b"\r\n b=")
    data = dkim.signed_data(mail.partition(b"\r\n\r\n")[0], unsigned + b"\r\n b=", dkim.SIGNED)
    if isinstance(key, rsa.RSAPrivateKey):
        key.public_key().verify(b64decode(signature), data, padding.PKCS1v15(), hashes.SHA256())
    else:
        key.public_key().verify(b64decode(signature), hashlib.sha256(data).digest())
    assert mail == EXAMPLE


def test_an_empty_body_has_the_hash_of_nothing() -> None:
    assert dkim.body_hash(b"\r\n\r\n") == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
