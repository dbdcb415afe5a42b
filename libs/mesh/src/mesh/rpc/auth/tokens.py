"""Tokens: JWT signed with Ed25519, verified locally and remembered until they expire."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from mesh.errors import Unauthenticated
from mesh.rpc.auth import keys
from mesh.rpc.auth.identity import ALL, Caller

AUDIENCE = "heliograph"
ROLES = frozenset({"admin", "service", "writer", "reader"})

_ALGORITHM = "EdDSA"


def mint(
    private_key: Ed25519PrivateKey | str,
    subject: str,
    applications: Iterable[str],
    roles: Iterable[str],
    ttl: float,
) -> str:
    """A token for `subject`, good for `ttl` seconds.

    `applications` are ids; `["*"]` or ALL means every one. Roles are admin, service, writer and
    reader; ValueError for any other.
    """
    if isinstance(private_key, str):
        private_key = keys.private_key(private_key)
    roles = sorted(roles)
    if unknown := set(roles) - ROLES:
        raise ValueError(f"unknown roles: {', '.join(sorted(unknown))}")
    apps = ["*"] if applications is ALL else sorted(applications)
    now = time.time()
    claims = {
        "sub": subject,
        "aud": AUDIENCE,
        "apps": apps,
        "roles": roles,
        "iat": int(now),
        "exp": int(now + ttl),
    }
    return jwt.encode(claims, private_key, algorithm=_ALGORITHM)


class Verifier:
    """Turns tokens into callers. A verified token costs a dictionary lookup until it expires.

    At most `remembered_max` tokens are remembered; `now` tells, in Unix seconds, how long.
    """

    def __init__(
        self,
        public_keys: Sequence[Ed25519PublicKey],
        *,
        remembered_max: int = 10_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = public_keys
        self._remembered_max = remembered_max
        self._now = now
        self._known: dict[bytes, tuple[float, Caller]] = {}

    def verify(self, token: str) -> Caller:
        """The caller a token speaks for; UNAUTHENTICATED if it does not verify or is too old."""
        digest = _digest(token)
        known = self._known.get(digest)
        if known is not None and known[0] > self._now():
            return known[1]
        claims = self._claims(token)
        found = _caller(claims, token)
        self._make_room()
        self._known[digest] = (float(claims["exp"]), found)
        return found

    def remembers(self, token: str) -> bool:
        """Whether this token verified before and is still good."""
        known = self._known.get(_digest(token))
        return known is not None and known[0] > self._now()

    def _claims(self, token: str) -> dict[str, Any]:
        refusal: jwt.PyJWTError | None = None
        for key in self._keys:
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=[_ALGORITHM],
                    audience=AUDIENCE,
                    options={"require": ["exp", "sub", "aud"]},
                )
            except jwt.InvalidSignatureError as failure:
                refusal = failure
            except jwt.PyJWTError as failure:
                refusal = failure
                break
        expired = isinstance(refusal, jwt.ExpiredSignatureError)
        raise Unauthenticated(
            "TOKEN_EXPIRED" if expired else "TOKEN_INVALID",
            "the token has expired" if expired else "the token does not verify",
        ) from refusal

    def _make_room(self) -> None:
        if len(self._known) < self._remembered_max:
            return
        now = self._now()
        self._known = {key: entry for key, entry in self._known.items() if entry[0] > now}
        for key in list(self._known)[: len(self._known) - self._remembered_max + 1]:
            del self._known[key]


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=16).digest()


def _caller(claims: dict[str, Any], token: str) -> Caller:
    applications = _words(claims.get("apps", []))
    roles = _words(claims.get("roles", []))
    everything = "*" in applications or "service" in roles
    return Caller(str(claims["sub"]), ALL if everything else applications, roles, token)


def _words(claim: object) -> frozenset[str]:
    if not isinstance(claim, list) or not all(isinstance(word, str) for word in claim):
        raise Unauthenticated("TOKEN_INVALID", "the token does not verify")
    return frozenset(claim)
