"""Alembic's way in."""

from mesh.aip import request_ids
from mesh.eventing import outbox
from mesh.store import migrate, orders, tombstones
from twoway.tables import metadata

migrate.run_env(
    metadata, outbox.metadata, request_ids.indexed_metadata, tombstones.metadata, orders.metadata
)
