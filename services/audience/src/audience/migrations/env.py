"""Run by Alembic."""

from audience import tables
from mesh.aip import operations, request_ids
from mesh.eventing import outbox
from mesh.store import migrate, orders, tombstones

migrate.run_env(
    tables.metadata,
    operations.metadata,
    request_ids.indexed_metadata,
    outbox.metadata,
    tombstones.metadata,
    orders.metadata,
)
