"""Which webhooks a number or pool may have, and the secrets that their posts are signed with."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from heliograph.twoway.v1 import origination_pb2
from mesh.errors import FailedPrecondition, InvalidArgument
from mesh.errors.refusals import invalid
from mesh.objects.https import is_public
from mesh.sealing import Sealer

from twoway import clock
from twoway.answering import Answering

FORMER_SECRET_LIVES = timedelta(days=1)
"""Time to give every receiver the new secret."""

FIELD = "two_way_webhook"
_CURRENT, _FORMER, _FORMER_EXPIRE = "current", "former", "former_expire_time"


@dataclass(frozen=True)
class Webhooks:
    """What the operator allows; without a sealer no secret can be kept, and so no webhook."""

    sealer: Sealer | None = None
    http_allowed: bool = False
    private_addresses_allowed: bool = False

    def change(
        self, application: str, row: Answering, wanted: origination_pb2.TwoWayWebhook
    ) -> None:
        """Make the row's webhook what the message says; a secret that is left out stays.

        Refuses an address that is not allowed (WEBHOOK_URI_NOT_ALLOWED), and one without a secret.
        """
        if not wanted.uri:
            if wanted.signing_secret:
                raise _unsigned("it is for nothing without a uri")
            row.webhook_uri, row.webhook_secrets = "", {}
            return
        if wanted.uri != row.webhook_uri:
            self.check(wanted.uri)
            row.webhook_uri = wanted.uri
        if wanted.signing_secret:
            row.webhook_secrets = self._rotated(
                application, row.webhook_secrets, wanted.signing_secret, clock.now()
            )
        elif not row.webhook_secrets:
            raise _unsigned("posts are signed: give a secret")

    def check(self, uri: str) -> SplitResult:
        """The parts of an address that is allowed, as far as it says itself; where its name leads
        to is judged at each connection."""
        parts = _split(uri)
        if parts.scheme != "https" and not self.http_allowed:
            raise not_allowed(uri, "it is not https")
        if not parts.hostname or parts.username or parts.password:
            raise not_allowed(uri, "it has no host, or a user name")
        if not self.private_addresses_allowed and _is_private(parts.hostname):
            raise not_allowed(uri, "its host is not on the internet")
        return parts

    def secrets(self, application: str, sealed: dict[str, str], now: datetime) -> list[str]:
        """The secrets that a post is signed with now, the current one first."""
        valid = [sealed[_CURRENT]]
        if former_expire_time(sealed, now) is not None:
            valid.append(sealed[_FORMER])
        return [self._sealer().open(one, _place(application)) for one in valid]

    def _rotated(
        self, application: str, sealed: dict[str, str], secret: str, now: datetime
    ) -> dict[str, str]:
        fresh = {_CURRENT: self._sealer().seal(secret, _place(application))}
        if not sealed:
            return fresh
        current = self._sealer().open(sealed[_CURRENT], _place(application))
        if hmac.compare_digest(current.encode(), secret.encode()):
            return sealed
        until = (now + FORMER_SECRET_LIVES).isoformat()
        return fresh | {_FORMER: sealed[_CURRENT], _FORMER_EXPIRE: until}

    def _sealer(self) -> Sealer:
        if self.sealer is None:
            raise FailedPrecondition(
                "SECRETS_KEY_MISSING", "twoway has no key to keep a secret with: set secrets_key"
            )
        return self.sealer


def render(row: Answering) -> origination_pb2.TwoWayWebhook | None:
    """A webhook as clients read it, without its secret; None where there is none."""
    if not row.webhook_uri:
        return None
    until = former_expire_time(row.webhook_secrets, clock.now())
    return origination_pb2.TwoWayWebhook(
        uri=row.webhook_uri,
        former_secret_expire_time=None if until is None else clock.stamp(until),
    )


def former_expire_time(sealed: dict[str, str], now: datetime) -> datetime | None:
    """Until when the former secret is valid; None when there is none any more."""
    if _FORMER_EXPIRE not in sealed:
        return None
    until = datetime.fromisoformat(sealed[_FORMER_EXPIRE])
    return until if now < until else None


def not_allowed(uri: str, why: str) -> InvalidArgument:
    """The refusal of an address."""
    return invalid("WEBHOOK_URI_NOT_ALLOWED", f"{FIELD}.uri", why, uri=uri)


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise not_allowed(uri, str(error)) from None
    return parts


def _is_private(host: str) -> bool:
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _unsigned(why: str) -> InvalidArgument:
    return invalid("SIGNING_SECRET_REQUIRED", f"{FIELD}.signing_secret", why)


def _place(application: str) -> str:
    """The same for a number and its pool, whose settings become the number's."""
    return f"{application}|webhook"
