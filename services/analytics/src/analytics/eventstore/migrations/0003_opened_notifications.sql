-- An app tells that a notification was opened, by an event that carries what the notification brought:
-- attributes `message` and `run` (names), or Pinpoint's `campaign_id` and `campaign_activity_id`. It
-- counts as an opening of that message, like those that messaging itself learns of.
CREATE MATERIALIZED VIEW IF NOT EXISTS message_events_from_opened TO message_events AS
WITH
    splitByChar('/', attributes['run']) AS run,
    toUUIDOrZero(arrayElement(splitByChar('/', attributes['message']), -1)) AS id
SELECT
    application,
    if(run[4] = '', attributes['campaign_id'], run[4]) AS campaign_id,
    if(run[6] = '', attributes['campaign_activity_id'], run[6]) AS run_id,
    5 AS kind,
    id AS message_id,
    event_id,
    UUIDv7ToDateTime(id, 'UTC') AS message_time,
    event_time,
    receive_time,
    endpoint_id,
    user_id,
    attributes['treatment_id'] AS treatment,
    0 AS channel_type,
    0 AS purpose,
    0 AS reason,
    '' AS detail,
    0 AS parts,
    '' AS country,
    map() AS context
FROM events
WHERE event_type = '_campaign.opened_notification' AND id != toUUID('00000000-0000-0000-0000-000000000000');
