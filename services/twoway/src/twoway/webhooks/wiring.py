"""Settings made what webhooks need."""

from datetime import timedelta

from mesh.sealing import Sealer

from twoway.settings import Settings
from twoway.webhooks.delivering import Retries
from twoway.webhooks.rules import Webhooks


def webhooks_of(settings: Settings) -> Webhooks:
    """What the operator allows."""
    keys = settings.secrets_key.get_secret_value()
    return Webhooks(
        sealer=Sealer(keys) if keys else None,
        http_allowed=settings.webhook_http_allowed,
        private_addresses_allowed=settings.webhook_private_addresses_allowed,
    )


def retries_of(settings: Settings) -> Retries:
    """How long texts are posted again."""
    return Retries(time_to_live=timedelta(hours=settings.webhook_retry_hours))
