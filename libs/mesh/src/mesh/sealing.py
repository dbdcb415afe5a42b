"""Secrets at rest: AES-256-GCM, bound to the place they belong to, so that none can be moved."""

import base64
import binascii
import os
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AfterValidator, SecretStr

KEY_BYTES = 32
NONCE_BYTES = 12


class Sealer:
    """Seals with its first key and opens with any, so that keys can be changed while in use."""

    def __init__(self, keys: str) -> None:
        """`keys` are base64 of 32 bytes each, parted by commas. Raises ValueError otherwise."""
        self._keys = [AESGCM(_key(text)) for text in keys.split(",")]

    def seal(self, text: str, place: str) -> str:
        """The text, sealed for `place`, as base64."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[0].encrypt(nonce, text.encode(), place.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, place: str) -> str:
        """The text again. Raises ValueError when it was sealed by another key or for elsewhere."""
        raw = base64.b64decode(sealed)
        for key in self._keys:
            try:
                return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
            except InvalidTag:
                continue
        raise ValueError(f"the secret of {place} was sealed with another key")


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a secrets key is base64 of {KEY_BYTES} bytes")
    return key


def _checked(keys: SecretStr) -> SecretStr:
    if keys.get_secret_value():
        Sealer(keys.get_secret_value())
    return keys


SecretsKey = Annotated[SecretStr, AfterValidator(_checked)]
"""A setting that is empty or fit for a `Sealer`."""
