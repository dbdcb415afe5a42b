"""What numbers and pools have in common: how texts to them are treated."""

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Answering(SQLModel):
    """Columns of both. `webhook_secrets` are sealed."""

    two_way_enabled: bool = False
    self_managed_opt_outs_enabled: bool = False
    deletion_protection_enabled: bool = False
    rule_set: str = Field(default="", sa_column_kwargs={"server_default": ""})
    webhook_uri: str = Field(default="", sa_column_kwargs={"server_default": ""})
    webhook_secrets: dict[str, str] = Field(
        default_factory=dict,
        sa_type=JSONB,
        nullable=False,
        sa_column_kwargs={"server_default": "{}"},
    )
