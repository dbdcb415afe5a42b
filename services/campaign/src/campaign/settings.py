"""Settings of the campaign service, from the environment."""

from mesh.service import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """What the campaign service can be told."""

    audience_address: str = Field(
        default="127.0.0.1:7001", description="Where audience answers: host:port or a gRPC target."
    )
    messaging_address: str = Field(
        default="127.0.0.1:7003", description="Where messaging answers: host:port or a gRPC target."
    )
    fan_out_workers: int = Field(
        default=2, ge=1, le=64, description="Runs that this replica sends at the same time."
    )
