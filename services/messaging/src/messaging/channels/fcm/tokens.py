"""Access tokens for a service account: a signed assertion is exchanged for one (RFC 7523)."""

import asyncio
import time
from http import HTTPStatus

import jwt
import orjson
from pyreqwest.client import Client
from pyreqwest.exceptions import PyreqwestError

from messaging.channels.fcm.configuration import ServiceAccount

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
ASSERTION_SECONDS = 3600
RENEW_BEFORE_SECONDS_MAX = 300.0
RENEW_BEFORE_SHARE = 0.1


class TokenError(Exception):
    """No access token; the message is the token server's, or why it could not be asked."""


class AccessTokens:
    """Keeps one token, and renews it before its time is over."""

    def __init__(self, client: Client, account: ServiceAccount) -> None:
        self._client = client
        self._account = account
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_seconds = 0.0

    @property
    def is_there(self) -> bool:
        """Whether a token was had and not found worthless."""
        return bool(self._token)

    async def get(self) -> str:
        """A token that is good now. Raises TokenError."""
        if self._token and time.monotonic() < self._renew_seconds:
            return self._token
        async with self._lock:
            if not self._token or time.monotonic() >= self._renew_seconds:
                await self._renew()
            return self._token

    def discard(self, token: str) -> None:
        """Forgets a token that was refused, unless a newer one has taken its place."""
        if token == self._token:
            self._token = ""

    async def _renew(self) -> None:
        form = {"grant_type": GRANT_TYPE, "assertion": self._assertion()}
        try:
            response = await self._client.post(self._account.token_url).form(form).build().send()
            body = bytes(await response.bytes())
        except PyreqwestError as error:
            raise TokenError(f"{self._account.token_url}: {error}") from error
        if response.status != HTTPStatus.OK:
            raise TokenError(f"{response.status} {body.decode('utf-8', 'replace')[:300]}")
        try:
            answer = orjson.loads(body)
            self._token = str(answer["access_token"])
            lifetime_seconds = float(answer.get("expires_in", ASSERTION_SECONDS))
        except (ValueError, KeyError, TypeError) as error:
            raise TokenError("the token server's answer holds no access token") from error
        before = min(RENEW_BEFORE_SECONDS_MAX, lifetime_seconds * RENEW_BEFORE_SHARE)
        self._renew_seconds = time.monotonic() + lifetime_seconds - before

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._account.email,
            "scope": SCOPE,
            "aud": self._account.token_url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        headers = {"kid": self._account.key_id} if self._account.key_id else None
        try:
            return jwt.encode(claims, self._account.private_key, "RS256", headers)
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise TokenError(f"the service account's key cannot sign: {error}") from error
