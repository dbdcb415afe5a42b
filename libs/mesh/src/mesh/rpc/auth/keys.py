"""Ed25519 keys as settings carry them: PEM, or the 32 raw bytes in base64."""

import base64
import binascii
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

_PEM = re.compile(r"-----BEGIN [^-]+-----.+?-----END [^-]+-----", re.DOTALL)


def public_keys(text: str) -> list[Ed25519PublicKey]:
    """Every key in `text`: several PEM blocks, or base64 words parted by commas or spaces.

    More than one lets tokens of the old and the new key verify while keys are changed. ValueError
    when there is none, or one is not an Ed25519 public key.
    """
    blocks = _PEM.findall(text)
    keys = [_public_pem(block) for block in blocks] or [
        Ed25519PublicKey.from_public_bytes(_raw(word)) for word in re.split(r"[,\s]+", text) if word
    ]
    if not keys:
        raise ValueError("there is no public key")
    return keys


def private_key(text: str) -> Ed25519PrivateKey:
    """The private key in `text`, PEM or base64; ValueError when it is none."""
    if not _PEM.search(text):
        return Ed25519PrivateKey.from_private_bytes(_raw(text.strip()))
    key = load_pem_private_key(text.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 private key")
    return key


def _public_pem(block: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(block.encode())
    except UnsupportedAlgorithm as unsupported:
        raise ValueError("not an Ed25519 public key") from unsupported
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 public key")
    return key


def _raw(word: str) -> bytes:
    try:
        return base64.b64decode(word, validate=True)
    except binascii.Error:
        raise ValueError("neither PEM nor base64") from None
