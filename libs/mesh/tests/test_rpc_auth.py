"""Tokens speak for callers; anything that does not verify is refused."""

import base64
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mesh.errors import InvalidArgument, PermissionDenied, Unauthenticated
from mesh.rpc import auth
from mesh.rpc.auth import keys
from mesh.rpc.auth.tokens import Verifier

KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
VERIFIER = Verifier([KEY.public_key()])


TOKEN_SECONDS = 24 * 60 * 60
"""Tokens are made when tests are collected, and used whenever their turn comes."""


def claims(**changes: object) -> dict[str, object]:
    return {
        "sub": "ann", "aud": "heliograph", "apps": ["shop"], "roles": ["reader"],
        "exp": time.time() + TOKEN_SECONDS, **changes,
    }  # fmt: skip


def pem(key: object) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def raw(key: object) -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()


def test_a_minted_token_verifies_to_its_caller():
    known = VERIFIER.verify(auth.mint(KEY, "ann", ["shop", "bar"], ["writer"], 60))
    assert known.subject == "ann"
    assert known.applications == {"shop", "bar"}
    assert known.roles == {"writer"}
    assert known.token not in repr(known)


@pytest.mark.parametrize(
    ("applications", "roles"), [(["*"], ["writer"]), (auth.ALL, ["admin"]), ([], ["service"])]
)
def test_a_star_and_the_role_service_mean_every_application(applications, roles):
    known = VERIFIER.verify(auth.mint(KEY, "ann", applications, roles, 60))
    assert known.applications is auth.ALL
    assert known.may_touch("anything")


def test_an_unknown_role_is_not_minted():
    with pytest.raises(ValueError, match="owner"):
        auth.mint(KEY, "ann", ["shop"], ["owner"], 60)


@pytest.mark.parametrize(
    "token",
    [
        "", "nonsense", "a.b.c",
        jwt.encode(claims(), OTHER, algorithm="EdDSA"),
        jwt.encode(claims(), None, algorithm="none"),
        jwt.encode(claims(aud="elsewhere"), KEY, algorithm="EdDSA"),
        jwt.encode(claims(apps="shop"), KEY, algorithm="EdDSA"),
        jwt.encode(claims(roles=[1]), KEY, algorithm="EdDSA"),
        jwt.encode({k: v for k, v in claims().items() if k != "exp"}, KEY, algorithm="EdDSA"),
        jwt.encode({k: v for k, v in claims().items() if k != "sub"}, KEY, algorithm="EdDSA"),
    ],
    ids=[
        "empty", "nonsense", "three parts", "another key", "unsigned", "another audience",
        "applications", "roles", "no end", "no subject",
    ],
)  # fmt: skip
def test_a_token_that_does_not_verify_is_refused(token):
    with pytest.raises(Unauthenticated) as refusal:
        VERIFIER.verify(token)
    assert refusal.value.reason == "TOKEN_INVALID"


def test_an_expired_token_is_refused_also_after_it_was_remembered():
    token = auth.mint(KEY, "ann", ["shop"], ["reader"], 60)
    clock = [time.time()]
    verifier = Verifier([KEY.public_key()], now=lambda: clock[0])
    verifier.verify(token)
    with pytest.raises(Unauthenticated) as refusal:
        verifier.verify(auth.mint(KEY, "ann", ["shop"], ["reader"], -1))
    assert refusal.value.reason == "TOKEN_EXPIRED"
    assert verifier.remembers(token)
    clock[0] += 61
    assert not verifier.remembers(token)


def test_only_so_many_tokens_are_remembered():
    verifier = Verifier([KEY.public_key()], remembered_max=2)
    minted = [auth.mint(KEY, f"ann{n}", ["shop"], ["reader"], 60) for n in range(3)]
    for token in minted:
        verifier.verify(token)
    assert [verifier.remembers(token) for token in minted] == [False, True, True]


@pytest.mark.parametrize("render", [pem, raw])
def test_keys_are_read_as_pem_and_as_base64_and_tokens_of_each_verify(render):
    text = ",".join(render(key.public_key()) for key in (OTHER, KEY))
    verifier = Verifier(keys.public_keys(text))
    for key in (KEY, OTHER):
        assert verifier.verify(auth.mint(key, "ann", [], ["reader"], 60)).subject == "ann"


FOREIGN = pem(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.mark.parametrize(
    "text",
    ["", " , ", "AAAA", "not base64!", FOREIGN],
    ids=["empty", "two of nothing", "short", "no base64", "another kind"],
)
def test_what_is_no_ed25519_public_key_is_refused(text):
    with pytest.raises(ValueError):
        keys.public_keys(text)


def test_a_private_key_is_read_as_pem_and_as_base64():
    text = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    encoded = base64.b64encode(KEY.private_bytes_raw()).decode()
    for form in (text, encoded):
        assert VERIFIER.verify(auth.mint(form, "ann", [], ["reader"], 60)).subject == "ann"


def test_there_is_no_caller_outside_of_a_request():
    with pytest.raises(Unauthenticated):
        auth.caller()


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("applications/shop/books/b", None),
        ("applications/shop", None),
        ("applications/shopping/books/b", PermissionDenied),
        ("applications/-/books/b", PermissionDenied),
        ("applications/", InvalidArgument),
        ("books/b", InvalidArgument),
        ("", InvalidArgument),
    ],
)
def test_a_caller_may_touch_names_of_its_applications_only(name, refusal):
    with auth.acting_as(auth.Caller("ann", frozenset({"shop"}), frozenset({"reader"}))):
        if refusal is None:
            auth.authorize(name)
        else:
            with pytest.raises(refusal):
                auth.authorize(name)
    with auth.acting_as(auth.Caller("ann", auth.ALL, frozenset({"reader"}))):
        auth.authorize(name)
