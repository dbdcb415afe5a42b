"""What every service reads from its environment, once, and the table that `--help` prints."""

from typing import Any

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "HELIOGRAPH_"


class ServiceSettings(BaseSettings):
    """Settings of a service; each service derives its own and adds to them. Frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    listen: str = Field(
        default="127.0.0.1:0",
        description="Host and port of the gRPC server; port 0 takes a free one.",
    )
    database_url: str = Field(default="", description="PostgreSQL database of this service.")
    nats_url: str = Field(
        default="nats://127.0.0.1:4222", description="NATS servers, parted by commas."
    )
    auth_public_key: str = Field(
        default="",
        description="Ed25519 public keys that tokens verify with: PEM, or base64 parted by commas.",
    )
    service_token: SecretStr = Field(
        default=SecretStr(""), description="Token this service calls other services with."
    )
    metrics_port: int = Field(
        default=0, description="Port of /metrics, on the host of listen; 0 takes a free one."
    )
    health_listen: str = Field(
        default="",
        description="Host and port of health alone, in plain text, for probes; empty serves none.",
    )
    log_level: str = Field(
        default="info", description="Least level of log lines: debug to critical."
    )
    otlp_endpoint: str = Field(
        default="", description="OTLP gRPC collector, as http://host:4317; empty records no spans."
    )
    trace_ratio: float = Field(
        default=0.1, ge=0, le=1, description="Share of new traces that is recorded, from 0 to 1."
    )
    shutdown_grace_seconds: float = Field(
        default=10.0, ge=0, description="Time that calls in work are given when the service stops."
    )
    concurrent_rpcs_max: int = Field(
        default=1000,
        gt=0,
        description="Calls in work at once; more are refused RESOURCE_EXHAUSTED.",
    )
    tls_certificate_file: str = Field(
        default="", description="PEM certificate; empty serves plain text."
    )
    tls_key_file: str = Field(default="", description="PEM private key of the certificate.")
    tls_authority_file: str = Field(
        default="", description="PEM authority that clients and other services are verified with."
    )
    ports_file: str = Field(
        default="", description="File to write the ports to, as JSON, once the service is ready."
    )


def table(settings: type[ServiceSettings]) -> list[tuple[str, str, str, str]]:
    """Every setting as (environment variable, type, default, help); secrets show no default."""
    prefix = settings.model_config.get("env_prefix", "")
    return [
        (
            f"{prefix}{name}".upper(),
            _type(field.annotation),
            _default(field),
            field.description or "",
        )
        for name, field in settings.model_fields.items()
    ]


def help_text(program: str, settings: type[ServiceSettings]) -> str:
    """What `--help` prints."""
    rows = [("variable", "type", "default", "help"), *table(settings)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    usage = f"usage: python -m {program} [serve | migrate [revision] | up | --help]"
    return "\n".join([usage, "", "Settings, read from the environment:", "", *lines, ""])


def _type(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, SecretStr):
        return ""
    return str(value)
