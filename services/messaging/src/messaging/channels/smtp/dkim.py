"""DKIM signatures, relaxed/relaxed (RFC 6376), with RSA or Ed25519 keys (RFC 8463)."""

import hashlib
import re
from base64 import b64encode
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SIGNED = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "mime-version",
    "content-type",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
"""RFC 8058 wants the last two covered; what is not in the mail cannot be added to it later."""

_SPACE = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


class Signer:
    """Signs mails for one domain and selector. Raises ValueError for a key that is none."""

    def __init__(self, domain: str, selector: str, private_key_pem: str) -> None:
        key = serialization.load_pem_private_key(private_key_pem.encode(), password=None)
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise ValueError("a DKIM key is RSA or Ed25519")
        self._key = key
        self._domain = domain
        self._selector = selector

    def sign(self, mail: bytes, now: datetime) -> bytes:
        """The mail with its signature in front."""
        head, _, body = mail.partition(b"\r\n\r\n")
        unsigned = self._unsigned(body_hash(body), now)
        data = signed_data(head, unsigned, SIGNED)
        signature = b64encode(self._signature(data))
        return unsigned + signature + b"\r\n" + mail

    def _unsigned(self, hashed: bytes, now: datetime) -> bytes:
        algorithm = "rsa-sha256" if isinstance(self._key, RSAPrivateKey) else "ed25519-sha256"
        return (
            f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={self._domain};\r\n"
            f" s={self._selector}; t={int(now.timestamp())}; h={':'.join(SIGNED)};\r\n"
            f" bh={hashed.decode()};\r\n b="
        ).encode()

    def _signature(self, data: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(hashlib.sha256(data).digest())


class _Header(NamedTuple):
    name: str
    canonical: bytes


def body_hash(body: bytes) -> bytes:
    """The hash of a relaxed body, in base64 (RFC 6376, 3.4.4)."""
    lines = [_SPACE.sub(b" ", line).rstrip(b" \t") for line in body.split(b"\r\n")]
    relaxed = b"\r\n".join(lines).rstrip(b"\r\n")
    return b64encode(hashlib.sha256(relaxed + b"\r\n" if relaxed else b"").digest())


def signed_data(head: bytes, signature_header: bytes, names: tuple[str, ...]) -> bytes:
    """What is signed: the named headers, of each the last first, then the unsigned header."""
    present = [_relaxed(line) for line in _FOLD.sub(b"", head).split(b"\r\n")]
    chosen: list[bytes] = []
    for name in names:
        for index in range(len(present) - 1, -1, -1):
            if present[index].name == name:
                chosen.append(present.pop(index).canonical)
                break
    own = _relaxed(_FOLD.sub(b"", signature_header)).canonical
    return b"\r\n".join([*chosen, own])


def _relaxed(line: bytes) -> _Header:
    """RFC 6376, 3.4.2."""
    name, _, value = line.partition(b":")
    name = name.strip().lower()
    return _Header(name.decode("latin-1"), name + b":" + _SPACE.sub(b" ", value).strip())
