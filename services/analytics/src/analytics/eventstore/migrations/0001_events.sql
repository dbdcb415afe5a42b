-- What clients have sent. The sorting key is an event's identity: whatever arrives again with the same
-- id, endpoint, type and time replaces itself, in a merge or by FINAL. The month of its time is part of
-- that identity, so the copies of an event are always in one partition.
CREATE TABLE IF NOT EXISTS events
(
    application LowCardinality(String),
    event_type LowCardinality(String),
    event_time DateTime64(6, 'UTC'),
    endpoint_id String,
    user_id String,
    event_id String,
    receive_time DateTime64(6, 'UTC'),
    session_id String,
    session_start_time DateTime64(6, 'UTC'),
    session_stop_time DateTime64(6, 'UTC'),
    app_package_name LowCardinality(String),
    app_title LowCardinality(String),
    app_version LowCardinality(String),
    app_sdk LowCardinality(String),
    app_platform LowCardinality(String),
    app_country LowCardinality(String),
    attributes Map(LowCardinality(String), String),
    metrics Map(LowCardinality(String), Float64),
    INDEX events_endpoint_id_idx endpoint_id TYPE bloom_filter(0.01),
    INDEX events_user_id_idx user_id TYPE bloom_filter(0.01),
    INDEX events_event_id_idx event_id TYPE bloom_filter(0.01)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
PRIMARY KEY (application, event_type, event_time)
ORDER BY (application, event_type, event_time, endpoint_id, event_id);

-- The door for the bytes of heliograph.analytics.v1.EventsRecorded: a row is a bus message.
CREATE TABLE IF NOT EXISTS events_recorded
(
    application String,
    receive_time Tuple(seconds Int64, nanos Int32),
    events Array(Tuple(
        event_id String,
        event_type String,
        event_time Tuple(seconds Int64, nanos Int32),
        endpoint_id String,
        user_id String,
        attributes Map(String, String),
        metrics Map(String, Float64),
        session Tuple(
            session_id String,
            start_time Tuple(seconds Int64, nanos Int32),
            stop_time Tuple(seconds Int64, nanos Int32)
        ),
        app Tuple(
            package_name String,
            title String,
            version String,
            sdk String,
            platform String,
            country String
        )
    ))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS events_from_recorded TO events AS
WITH time -> fromUnixTimestamp64Micro(time.seconds * 1000000 + intDiv(time.nanos, 1000), 'UTC') AS instant
SELECT
    application,
    event.event_type AS event_type,
    instant(event.event_time) AS event_time,
    event.endpoint_id AS endpoint_id,
    event.user_id AS user_id,
    event.event_id AS event_id,
    instant(received) AS receive_time,
    event.session.session_id AS session_id,
    instant(event.session.start_time) AS session_start_time,
    instant(event.session.stop_time) AS session_stop_time,
    event.app.package_name AS app_package_name,
    event.app.title AS app_title,
    event.app.version AS app_version,
    event.app.sdk AS app_sdk,
    event.app.platform AS app_platform,
    event.app.country AS app_country,
    event.attributes AS attributes,
    event.metrics AS metrics
FROM (SELECT application, receive_time AS received, arrayJoin(events) AS event FROM events_recorded);
