"""Run by Alembic."""

from campaign import tables
from mesh.aip import request_ids
from mesh.eventing import outbox
from mesh.store import migrate, orders, tombstones

migrate.run_env(
    tables.metadata,
    outbox.metadata,
    request_ids.indexed_metadata,
    tombstones.metadata,
    orders.metadata,
)
