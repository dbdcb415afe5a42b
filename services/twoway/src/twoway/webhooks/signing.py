"""Signatures by the rules of https://www.standardwebhooks.com. Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"


def post_id(application: str, inbound_message: str) -> str:
    """What all posts of one text have in common. It has no dot, which parts what is signed."""
    digest = hashlib.sha256(f"{application}\x00{inbound_message}".encode())
    return f"msg_{digest.hexdigest()[:32]}"


def headers(message_id: str, time: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The headers of one attempt, signed with each of the secrets."""
    seconds = str(int(time.timestamp()))
    signatures = (_signature(secret, message_id, seconds, body) for secret in secrets)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _signature(secret: str, message_id: str, seconds: str, body: bytes) -> str:
    signed = f"{message_id}.{seconds}.".encode() + body
    return base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
