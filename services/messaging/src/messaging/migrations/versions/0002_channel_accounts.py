"""A provider's account belongs to one channel.

Channels made before get theirs, the oldest first; one that shares an account keeps working without
the claim, is named in the log, and is refused when it is next changed. What the previous release
writes meanwhile has no claim until then either.
"""

import sqlalchemy as sa
from alembic import op
from heliograph.messaging.v1.channel_pb2 import Channel
from mesh.telemetry import logging

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_log = logging.get(__name__)

CLAIM = "UPDATE channels SET account = :account WHERE application = :application AND id = :id"


def upgrade() -> None:
    op.execute("ALTER TABLE channels ADD COLUMN account varchar")
    _fill(op.get_bind())
    op.execute("CREATE UNIQUE INDEX channels_by_account ON channels (account)")


def downgrade() -> None:
    op.execute("ALTER TABLE channels DROP COLUMN account")


def _fill(connection: sa.Connection) -> None:
    held: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        sa.text("SELECT application, id, config FROM channels ORDER BY create_time, application")
    )
    for application, channel_id, config in rows:
        account = _account(Channel.FromString(config))
        key = {"application": application, "id": channel_id}
        if account is not None and held.setdefault(account, key) is not key:
            _log.warning("channel.account_shared", channel=f"{application}/{channel_id}")
    if held:
        claims = [{"account": account, **key} for account, key in held.items()]
        connection.execute(sa.text(CLAIM), claims)


def _account(channel: Channel) -> str | None:
    """As messaging spells it in this release; later ones may not change what is done here."""
    if channel.WhichOneof("provider") != "smpp":
        return None
    smpp = channel.smpp
    return f"smpp {smpp.host.lower().removesuffix('.')} {smpp.port or 2775} {smpp.system_id}"
