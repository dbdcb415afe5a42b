"""The keys of a mesh on one machine, made once: one signs tokens, one seals secrets, and by one
erased people are known."""

import base64
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_KEY_BYTES = 32


class Keys:
    """Reads the keys in `folder`, making those that are missing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.signing_key = _signing_key(folder / "signing.pem")
        self.secrets_key = _random_key(folder / "secrets.key")
        self.erasure_key = _random_key(folder / "erasure.key")

    @property
    def public_pem(self) -> str:
        """What services verify tokens with."""
        public = self.signing_key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _signing_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        _write_private(path, pem)
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _random_key(path: Path) -> str:
    """Base64 of 32 random bytes: for AES-256, which seals provider secrets, or HMAC-SHA256."""
    if not path.exists():
        _write_private(path, base64.b64encode(secrets.token_bytes(_KEY_BYTES)))
    return path.read_text()


def _write_private(path: Path, content: bytes) -> None:
    """Whole or not at all: half a key would lock the mesh out of its own data."""
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
