"""Alembic's way in."""

from mesh.aip import operations, request_ids
from mesh.eventing import outbox
from mesh.store import migrate, orders, tombstones
from twoway import tables
from twoway.alarms import tables as alarms
from twoway.conversations import tables as conversations
from twoway.exports import tables as exports
from twoway.imports import tables as imports
from twoway.keywords import tables as keywords
from twoway.webhooks import tables as webhooks

migrate.run_env(
    tables.metadata,
    alarms.metadata,
    conversations.metadata,
    exports.metadata,
    imports.metadata,
    keywords.metadata,
    webhooks.metadata,
    outbox.metadata,
    operations.metadata,
    request_ids.indexed_metadata,
    tombstones.metadata,
    orders.metadata,
)
