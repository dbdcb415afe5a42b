"""Run by Alembic."""

from analytics import tables
from mesh.aip import request_ids
from mesh.store import migrate, tombstones

migrate.run_env(tables.metadata, request_ids.metadata, tombstones.metadata)
