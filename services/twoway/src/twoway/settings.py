"""Settings of this room, from the environment."""

from mesh.objects.settings import FileSettings
from mesh.sealing import SecretsKey
from pydantic import Field, SecretStr


class Settings(FileSettings):
    """What twoway can be told."""

    messaging_address: str = Field(
        default="127.0.0.1:7003",
        description="Where messaging answers: host:port or a gRPC target. Replies wait for it.",
    )
    analytics_address: str = Field(
        default="127.0.0.1:7004",
        description="Where analytics answers: host:port or a gRPC target. Alarms ask it.",
    )
    campaign_address: str = Field(
        default="127.0.0.1:7002",
        description="Where campaign answers: host:port or a gRPC target. Alarms pause by it.",
    )
    inbound_batch: int = Field(
        default=256, ge=1, le=2_000, description="Bus messages taken in by one transaction."
    )
    database_connections_max: int = Field(
        default=10, ge=4, le=100, description="Connections to PostgreSQL of each of the two pools."
    )
    inbound_retention_days: int = Field(
        default=365,
        ge=14,
        description="Days that what people wrote is kept; what is about consent is kept for ever.",
    )
    request_id_retention_days: int = Field(
        default=30,
        ge=1,
        description="Days in which a repeated request_id gets the first answer again.",
    )
    secrets_key: SecretsKey = Field(
        default=SecretStr(""),
        description="Keys of webhooks' secrets, base64 of 32 bytes, parted by commas: the first "
        "seals, all open. Without one no webhook can be set.",
    )
    webhook_retry_hours: float = Field(
        default=24.0, gt=0, le=168, description="How long a text is posted again to its webhook."
    )
    webhook_http_allowed: bool = Field(
        default=False, description="Whether webhooks may be http; everybody on the way reads along."
    )
    webhook_private_addresses_allowed: bool = Field(
        default=False,
        description="Whether webhooks may lead to addresses that are not on the internet: to "
        "whatever twoway itself can reach.",
    )
