"""What a channel says about its Firebase project, with the defaults filled in."""

from dataclasses import dataclass

import orjson
from heliograph.messaging.v1.channel_pb2 import Channel

BASE_URL_DEFAULT = "https://fcm.googleapis.com"
WINDOW_DEFAULT = 64
REQUEST_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who asks for access tokens, and where."""

    email: str
    private_key: str
    key_id: str
    token_url: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """A project."""

    account: ServiceAccount
    send_url: str
    window: int
    rate_per_second: float


def read(channel: Channel) -> Configuration:
    """Reads a channel whose secrets are in clear. Raises ValueError for a key file that is none."""
    provider = channel.fcm
    key_file = _key_file(provider.service_account_json)
    project = provider.project_id or key_file.get("project_id", "")
    base_url = (provider.base_url or BASE_URL_DEFAULT).rstrip("/")
    account = ServiceAccount(
        email=key_file["client_email"],
        private_key=key_file["private_key"],
        key_id=key_file.get("private_key_id", ""),
        token_url=provider.token_url or key_file["token_uri"],
    )
    return Configuration(
        account=account,
        send_url=f"{base_url}/v1/projects/{project}/messages:send",
        window=provider.window or WINDOW_DEFAULT,
        rate_per_second=channel.rate_per_second,
    )


def _key_file(text: str) -> dict[str, str]:
    try:
        key_file = orjson.loads(text)
    except ValueError:
        key_file = None
    needed = {"client_email", "private_key", "token_uri"}
    if not isinstance(key_file, dict) or not needed <= key_file.keys():
        raise ValueError("fcm.service_account_json is no key file of a service account")
    return key_file
