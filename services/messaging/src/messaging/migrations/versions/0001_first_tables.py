"""The first tables."""

from alembic import op
from mesh.aip import request_ids

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LEDGER = """
CREATE TABLE messages (
    application varchar NOT NULL,
    day date NOT NULL,
    message_id uuid NOT NULL,
    batch_id varchar NOT NULL,
    run varchar NOT NULL,
    treatment varchar NOT NULL,
    endpoint_id varchar NOT NULL,
    user_id varchar NOT NULL,
    channel_type smallint NOT NULL,
    purpose smallint NOT NULL,
    address varchar NOT NULL,
    address_digest uuid NOT NULL,
    run_address_digest uuid,
    origination varchar NOT NULL,
    country varchar NOT NULL,
    parts smallint NOT NULL,
    state smallint NOT NULL,
    reason smallint NOT NULL,
    detail varchar NOT NULL,
    provider_message_id varchar NOT NULL,
    context jsonb,
    create_time timestamptz NOT NULL,
    sent_time timestamptz,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (application, day, message_id)
) PARTITION BY RANGE (day);
CREATE UNIQUE INDEX messages_by_run_address
    ON messages (application, run, day, run_address_digest) WHERE run <> '';
CREATE INDEX messages_by_address ON messages (application, address_digest) WHERE address <> '';
CREATE INDEX messages_by_endpoint ON messages (application, endpoint_id) WHERE endpoint_id <> '';
CREATE INDEX messages_by_user ON messages (application, user_id) WHERE user_id <> '';

CREATE TABLE unknown_messages (
    application varchar NOT NULL,
    day date NOT NULL,
    message_id uuid NOT NULL,
    settle_time timestamptz NOT NULL,
    resend bytea NOT NULL,
    PRIMARY KEY (application, day, message_id)
);
CREATE INDEX unknown_messages_by_time ON unknown_messages (settle_time);

CREATE TABLE parked_receipts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application varchar NOT NULL,
    address varchar NOT NULL,
    provider_message_id varchar NOT NULL,
    reference integer,
    state smallint NOT NULL,
    detail varchar NOT NULL,
    event_time timestamptz NOT NULL,
    park_time timestamptz NOT NULL,
    try_time timestamptz NOT NULL
);
CREATE INDEX parked_receipts_by_time ON parked_receipts (try_time);
"""

NOUNS = """
CREATE TABLE channels (
    application varchar NOT NULL,
    id varchar NOT NULL,
    channel_type smallint NOT NULL,
    enabled boolean NOT NULL,
    config bytea NOT NULL,
    secrets jsonb NOT NULL,
    revision integer NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (application, id),
    UNIQUE (application, channel_type)
);

CREATE TABLE templates (
    application varchar NOT NULL,
    id varchar NOT NULL,
    description varchar NOT NULL,
    tags jsonb NOT NULL,
    active_version integer NOT NULL,
    latest_version integer NOT NULL,
    revision integer NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (application, id)
);

CREATE TABLE template_versions (
    application varchar NOT NULL,
    template_id varchar NOT NULL,
    version integer NOT NULL,
    content bytea NOT NULL,
    description varchar NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (application, template_id, version),
    FOREIGN KEY (application, template_id) REFERENCES templates (application, id)
        ON DELETE CASCADE
);

CREATE TABLE suppressions (
    application varchar NOT NULL,
    id varchar NOT NULL,
    address varchar NOT NULL,
    channel_type smallint NOT NULL,
    cause smallint NOT NULL,
    note varchar NOT NULL,
    source_message varchar NOT NULL,
    create_time timestamptz NOT NULL,
    expire_time timestamptz,
    PRIMARY KEY (application, id)
);
CREATE INDEX suppressions_by_time ON suppressions (application, create_time, id);

CREATE TABLE cancelled_runs (
    application varchar NOT NULL,
    run varchar NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (application, run)
);
"""

DIRECT_AND_INBOUND = """
CREATE TABLE send_requests (
    application varchar NOT NULL,
    request_id varchar NOT NULL,
    checksum bytea NOT NULL,
    response bytea NOT NULL,
    batch_id varchar NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (application, request_id)
);
CREATE INDEX send_requests_by_time ON send_requests (create_time);

CREATE TABLE direct_batches (
    batch_id varchar PRIMARY KEY,
    application varchar NOT NULL,
    payload bytea NOT NULL,
    create_time timestamptz NOT NULL
);

CREATE TABLE inbound_texts (
    application varchar NOT NULL,
    key uuid NOT NULL,
    inbound_id varchar NOT NULL,
    receive_time timestamptz NOT NULL,
    PRIMARY KEY (application, key)
);
CREATE INDEX inbound_texts_by_time ON inbound_texts (receive_time);
"""


def upgrade() -> None:
    for statements in (LEDGER, NOUNS, DIRECT_AND_INBOUND):
        for statement in statements.split(";\n"):
            if statement.strip():
                op.execute(statement)
    request_ids.create_table(op)
