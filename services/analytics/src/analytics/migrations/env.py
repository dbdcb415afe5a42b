"""Run by Alembic."""

from analytics import tables
from mesh.aip import operations, request_ids
from mesh.store import migrate, orders, tombstones

migrate.run_env(
    tables.metadata, operations.metadata, request_ids.metadata, tombstones.metadata, orders.metadata
)
