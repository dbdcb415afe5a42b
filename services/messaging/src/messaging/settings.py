"""Settings of the messaging service, from the environment."""

from mesh.sealing import SecretsKey
from mesh.service import ServiceSettings
from pydantic import Field, SecretStr


class Settings(ServiceSettings):
    """What the messaging service can be told."""

    audience_address: str = Field(
        default="127.0.0.1:7001", description="Where audience answers: host:port or a gRPC target."
    )
    twoway_address: str = Field(
        default="127.0.0.1:7005", description="Where twoway answers: host:port or a gRPC target."
    )
    secrets_key: SecretsKey = Field(
        default=SecretStr(""),
        description="Keys of provider secrets, base64 of 32 bytes, parted by commas: the first "
        "seals, all open. Required to serve.",
    )
    bulk_batches_max: int = Field(
        default=4, ge=1, le=64, description="Campaign batches in work at the same time."
    )
    direct_batches_max: int = Field(
        default=4, ge=1, le=64, description="Batches of direct sends in work at the same time."
    )
    chunk_size_max: int = Field(
        default=200, ge=1, le=1000, description="Messages that go through the steps together."
    )
    batch_ack_wait_seconds: float = Field(
        default=10.0, ge=1, description="How soon another replica takes over a dead one's batch."
    )
    ledger_retention_days: int = Field(
        default=400, ge=8, description="How long messages stay in the ledger."
    )
