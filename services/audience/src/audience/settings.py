"""Settings of the audience service, from the environment."""

from typing import Annotated

from mesh.objects.settings import FileSettings
from pydantic import AfterValidator, Field, SecretStr

from audience.persons import hashes


def _checked(keys: SecretStr) -> SecretStr:
    hashes.parsed(keys.get_secret_value())
    return keys


class Settings(FileSettings):
    """What the audience service can be told."""

    database_connections_max: int = Field(
        default=10, ge=4, le=100, description="Connections to PostgreSQL, for reads and for writes."
    )
    analytics_address: str = Field(
        default="127.0.0.1:7004", description="Where analytics answers: host:port or a gRPC target."
    )
    campaign_address: str = Field(
        default="127.0.0.1:7002", description="Where campaign answers: host:port or a gRPC target."
    )
    messaging_address: str = Field(
        default="127.0.0.1:7003", description="Where messaging answers: host:port or a gRPC target."
    )
    twoway_address: str = Field(
        default="127.0.0.1:7005", description="Where twoway answers: host:port or a gRPC target."
    )
    export_workers: int = Field(
        default=1, ge=0, le=16, description="Export jobs that this replica runs at the same time."
    )
    import_workers: int = Field(
        default=2, ge=0, le=16, description="Import jobs that this replica runs at the same time."
    )
    uploads_max: int = Field(
        default=4, ge=1, le=100, description="Uploads that are taken at the same time."
    )
    upload_bytes_max: int = Field(
        default=4 * 1024**3, ge=1, description="Size of the largest upload that is taken."
    )
    unpacked_bytes_max: int = Field(
        default=64 * 1024**3, ge=1, description="Size to which a compressed file may unpack."
    )
    import_retention_days: int = Field(
        default=90,
        ge=1,
        description="Days that an import job that has ended is kept, with its refused rows.",
    )
    export_retention_days: int = Field(
        default=90, ge=1, description="Days that an export job that has ended is kept."
    )
    erasure_key: Annotated[SecretStr, AfterValidator(_checked)] = Field(
        default=SecretStr(""),
        description="Keys by which erased people are known, base64 of 32 bytes, parted by commas: "
        "the first hashes, all are looked for. Without it, nobody is erased for good.",
    )
    request_id_retention_days: int = Field(
        default=30,
        ge=1,
        description="Days in which a repeated request_id gets the first answer again.",
    )
