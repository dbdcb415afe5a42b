"""Keys and tokens for tests, as services take them."""

import base64
from collections.abc import Iterable
from typing import Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TOKEN_TTL_SECONDS = 24 * 3600


class MintToken(Protocol):
    """Makes a token; by default that of an administrator of every application."""

    def __call__(
        self,
        applications: Iterable[str] = ("*",),
        *,
        roles: Iterable[str] = ("admin",),
        subject: str = "tester",
    ) -> str: ...


@pytest.fixture(scope="session")
def signing_key() -> Ed25519PrivateKey:
    """The key that signs the tokens of this session."""
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def auth_public_key(signing_key: Ed25519PrivateKey) -> str:
    """What a service is given as `auth_public_key` to accept those tokens."""
    return base64.b64encode(signing_key.public_key().public_bytes_raw()).decode()


@pytest.fixture(scope="session")
def mint_token(signing_key: Ed25519PrivateKey) -> MintToken:
    """`mint_token(["shop"], roles=["reader"])`: a token for the application `shop` only."""
    from mesh.rpc import auth

    def mint(
        applications: Iterable[str] = ("*",),
        *,
        roles: Iterable[str] = ("admin",),
        subject: str = "tester",
    ) -> str:
        return auth.mint(signing_key, subject, applications, roles, TOKEN_TTL_SECONDS)

    return mint


@pytest.fixture(scope="session")
def admin_token(mint_token: MintToken) -> str:
    """The token of an administrator of every application."""
    return mint_token()


@pytest.fixture(scope="session")
def service_token(mint_token: MintToken) -> str:
    """The token that services show each other."""
    return mint_token(roles=["service"], subject="service")
