"""Run by Alembic."""

from mesh.aip import request_ids
from mesh.store import migrate, orders, tombstones
from messaging import tables
from messaging.ledger import tables as ledger_tables

assert ledger_tables.MESSAGES.metadata is tables.metadata

migrate.run_env(tables.metadata, request_ids.metadata, tombstones.metadata, orders.metadata)
