-- What became of messages. An announcement may be repeated with another time, so the time is no part of
-- the identity, and the partition follows from the message's id (a UUIDv7: its first bits are a time).
-- Numbers of kind, channel_type, purpose and reason are those of the protos.
CREATE TABLE IF NOT EXISTS message_events
(
    application LowCardinality(String),
    campaign_id String,
    run_id String,
    kind Int16,
    message_id UUID,
    event_id String,
    message_time DateTime('UTC') DEFAULT UUIDv7ToDateTime(message_id, 'UTC'),
    event_time DateTime64(6, 'UTC'),
    receive_time DateTime64(6, 'UTC'),
    endpoint_id String,
    user_id String,
    treatment LowCardinality(String),
    channel_type Int16,
    purpose Int16,
    reason Int16,
    detail String,
    parts Int32,
    country LowCardinality(String),
    context Map(LowCardinality(String), String),
    INDEX message_events_endpoint_id_idx endpoint_id TYPE bloom_filter(0.01),
    INDEX message_events_user_id_idx user_id TYPE bloom_filter(0.01),
    INDEX message_events_event_id_idx event_id TYPE bloom_filter(0.01),
    INDEX message_events_event_time_idx event_time TYPE minmax
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(message_time)
PRIMARY KEY (application, campaign_id, run_id, kind)
ORDER BY (application, campaign_id, run_id, kind, message_id, event_id);

-- The door for the bytes of heliograph.messaging.v1.MessagesChanged. The address is left outside.
CREATE TABLE IF NOT EXISTS messages_changed
(
    application String,
    events Array(Tuple(
        event_id String,
        kind Int32,
        event_time Tuple(seconds Int64, nanos Int32),
        message String,
        endpoint String,
        user_id String,
        run String,
        treatment String,
        channel_type Int32,
        purpose Int32,
        reason Int32,
        detail String,
        parts Int32,
        country String,
        context Map(String, String)
    ))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS message_events_from_changed TO message_events AS
WITH
    splitByChar('/', event.run) AS run,
    toUUIDOrZero(splitByChar('/', event.message)[4]) AS id
SELECT
    application,
    run[4] AS campaign_id,
    run[6] AS run_id,
    event.kind AS kind,
    id AS message_id,
    event.event_id AS event_id,
    UUIDv7ToDateTime(id, 'UTC') AS message_time,
    fromUnixTimestamp64Micro(
        event.event_time.seconds * 1000000 + intDiv(event.event_time.nanos, 1000), 'UTC'
    ) AS event_time,
    now64(6, 'UTC') AS receive_time,
    splitByChar('/', event.endpoint)[4] AS endpoint_id,
    event.user_id AS user_id,
    event.treatment AS treatment,
    event.channel_type AS channel_type,
    event.purpose AS purpose,
    event.reason AS reason,
    event.detail AS detail,
    event.parts AS parts,
    event.country AS country,
    event.context AS context
FROM (SELECT application, arrayJoin(events) AS event FROM messages_changed);
