"""Runs the migrations of the store's tests."""

from mesh.eventing import inbox, outbox
from mesh.store import migrate

migrate.run_env(outbox.metadata, inbox.metadata)
