"""Settings of the campaign service, from the environment."""

from datetime import timedelta

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
    paced_runs_max: int = Field(
        default=100,
        ge=1,
        description="Runs with a number of messages per second that this replica sends at the"
        " same time.",
    )
    page_size: int = Field(default=1_000, ge=1, le=1_000, description="Members in a send batch.")
    queued_batches_max: int = Field(
        default=32,
        ge=1,
        description="Batches of an application that wait for messaging; more only delay a pause.",
    )
    lease_seconds: float = Field(
        default=30.0, ge=1, description="How soon another replica takes over a dead one's run."
    )
    request_id_retention_days: int = Field(
        default=30,
        ge=1,
        description="Days in which a repeated request_id gets the first answer again.",
    )

    @property
    def request_id_retention(self) -> timedelta:
        """How long a request id is known."""
        return timedelta(days=self.request_id_retention_days)

    @property
    def lease(self) -> timedelta:
        """How long a replica holds a run without a sign of life."""
        return timedelta(seconds=self.lease_seconds)
