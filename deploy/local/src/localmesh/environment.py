"""What each service is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("audience", "campaign", "messaging", "analytics", "twoway")
EVENT_DATABASE = "heliograph"


@dataclass(frozen=True)
class Surroundings:
    """The rest of the mesh, as a service sees it."""

    addresses: Mapping[str, str]
    """Of the services."""
    databases: Mapping[str, str]
    """PostgreSQL URL of each service."""
    nats_url: str
    clickhouse_url: str
    public_key: str
    service_token: str
    secrets_key: str
    erasure_key: str
    authority_file: Path
    imports: Path
    exports: Path
    settings: Mapping[str, str]
    """What all services are told besides, by the setting's name; each takes those it has."""


def of_service(name: str, around: Surroundings, metrics_port: int) -> dict[str, str]:
    """The variables of one service; it is given its own database and no other."""
    addresses = {
        f"{service.upper()}_ADDRESS": address for service, address in around.addresses.items()
    }
    settings = {
        **addresses,
        "DATABASE_URL": around.databases[name],
        "NATS_URL": around.nats_url,
        "AUTH_PUBLIC_KEY": around.public_key,
        "SERVICE_TOKEN": around.service_token,
        "METRICS_PORT": str(metrics_port),
        **_of_its_own(name, around),
        **{setting.upper(): value for setting, value in around.settings.items()},
    }
    variables = {f"HELIOGRAPH_{variable}": value for variable, value in settings.items()}
    if name == "messaging":
        # The peers' certificates are of our own authority, which nobody else knows.
        variables["SSL_CERT_FILE"] = str(around.authority_file)
    return variables


def _of_its_own(name: str, around: Surroundings) -> dict[str, str]:
    if name == "audience":
        return {
            "IMPORT_FOLDER": str(around.imports),
            "EXPORT_FOLDER": str(around.exports),
            "ERASURE_KEY": around.erasure_key,
        }
    if name == "twoway":
        return {
            "IMPORT_FOLDER": str(around.imports),
            "EXPORT_FOLDER": str(around.exports),
            "SECRETS_KEY": around.secrets_key,
            # Whoever tries a webhook here listens on this machine.
            "WEBHOOK_HTTP_ALLOWED": "true",
            "WEBHOOK_PRIVATE_ADDRESSES_ALLOWED": "true",
        }
    if name == "analytics":
        return {"CLICKHOUSE_URL": around.clickhouse_url}
    if name == "messaging":
        return {"SECRETS_KEY": around.secrets_key}
    return {}
