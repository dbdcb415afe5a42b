"""The service account and its access tokens: OAuth 2 with a signed assertion, RFC 7523."""

import json
import secrets
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_LONGEST_ASSERTION_SECONDS = 3600
_LEEWAY_SECONDS = 60


class GrantRefusedError(Exception):
    """The assertion does not entitle to a token; the message says why."""


class ServiceAccount:
    """The key file that a user would download, made once in `folder`."""

    def __init__(self, folder: Path, project: str) -> None:
        self.project = project
        self.file = folder / "service_account.json"
        self._tokens: dict[str, float] = {}
        self._token_url = ""
        self._key = _key_of(self.file) or rsa.generate_private_key(65537, 2048)

    @property
    def email(self) -> str:
        """Who the account is."""
        return f"heliograph@{self.project}.iam.gserviceaccount.com"

    def publish(self, token_url: str) -> None:
        """Write the key file for the address at which tokens are to be had now."""
        self._token_url = token_url
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        content = {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "local-1",
            "private_key": pem.decode(),
            "client_email": self.email,
            "token_uri": token_url,
        }
        self.file.write_text(json.dumps(content, indent=2))
        self.file.chmod(0o600)

    def grant(self, assertion: str, lifetime_seconds: int) -> str:
        """A new access token. Raises GrantRefusedError."""
        try:
            claims = jwt.decode(
                assertion,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=self._token_url,
                issuer=self.email,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["iss", "aud", "exp", "iat"]},
            )
        except jwt.InvalidTokenError as error:
            raise GrantRefusedError(f"Invalid JWT: {error}") from None
        if claims["exp"] - claims["iat"] > _LONGEST_ASSERTION_SECONDS:
            raise GrantRefusedError("Invalid JWT: it is good for more than an hour")
        if SCOPE not in claims.get("scope", "").split():
            raise GrantRefusedError(f"Invalid scope: {SCOPE} is needed")
        return self._issue(lifetime_seconds)

    def knows(self, access_token: str) -> bool:
        """Whether the token was issued here and is still good."""
        return self._tokens.get(access_token, 0.0) > time.time()

    def revoke_all(self) -> int:
        """Forget every token; how many there were."""
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def _issue(self, lifetime_seconds: int) -> str:
        now = time.time()
        self._tokens = {token: until for token, until in self._tokens.items() if until > now}
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self._tokens[token] = now + lifetime_seconds
        return token


def _key_of(file: Path) -> rsa.RSAPrivateKey | None:
    if not file.exists():
        return None
    pem = json.loads(file.read_text())["private_key"]
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
