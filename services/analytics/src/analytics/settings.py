"""Settings of the analytics service, from the environment."""

from mesh.service import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """What the analytics service can be told."""

    clickhouse_url: str = Field(
        default="http://127.0.0.1:8123/heliograph",
        description="Event store: http(s)://user:password@host:port/database.",
    )
    query_timeout_seconds: int = Field(
        default=30, ge=1, description="Time that a report may take in the event store."
    )
    insert_interval_seconds: float = Field(
        default=0.2,
        ge=0,
        description="Least time between small inserts of client events; reports lag by it.",
    )
    message_insert_interval_seconds: float = Field(
        default=1.0,
        ge=0,
        description="Least time between small inserts of message events; reports lag by it.",
    )
    event_types_max: int = Field(
        default=1_500, ge=0, description="Event types of its own that an application may have."
    )
    attribute_keys_max: int = Field(
        default=500, ge=0, description="Attribute keys that an application's events may have."
    )
    metric_keys_max: int = Field(
        default=500, ge=0, description="Metric keys that an application's events may have."
    )
