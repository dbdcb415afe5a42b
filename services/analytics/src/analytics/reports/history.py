"""Everything that happened, as one table: events of clients, and what became of messages. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.reason_pb2 import Reason

from analytics.reports.sql import Parameters

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MESSAGE_PREFIX = "_message."
"""Begins the event types that stand for what became of a message, as in `_message.delivered`."""

_CLIENT_COLUMNS = """
    event_type, event_time, endpoint_id, user_id, event_id, receive_time, session_id,
    session_start_time, session_stop_time, app_package_name, app_title, app_version, app_sdk,
    app_platform, app_country,
    CAST(attributes, 'Map(String, String)') AS attributes,
    CAST(metrics, 'Map(String, Float64)') AS metrics
"""


def _words(numbers: Mapping[int, str], column: str) -> str:
    keys = ", ".join(map(str, numbers))
    words = ", ".join(f"'{word}'" for word in numbers.values())
    return f"transform(toInt32({column}), [{keys}], [{words}], toString({column}))"


_KINDS = {int(number): name.lower() for name, number in MessageEvent.Kind.items() if number}
_CHANNELS = {int(number): name for name, number in ChannelType.items() if number}
_REASONS = {int(number): name for name, number in Reason.items() if number}

_MESSAGE_COLUMNS = f"""
    concat('{MESSAGE_PREFIX}', {_words(_KINDS, "kind")}) AS event_type,
    event_time, endpoint_id, user_id, event_id, receive_time, '' AS session_id,
    toDateTime64(0, 6, 'UTC') AS session_start_time, toDateTime64(0, 6, 'UTC') AS session_stop_time,
    '' AS app_package_name, '' AS app_title, '' AS app_version, '' AS app_sdk,
    '' AS app_platform, country AS app_country,
    mapFilter((k, v) -> v != '', mapConcat(
        CAST(context, 'Map(String, String)'),
        map('message', toString(message_id), 'campaign', campaign_id, 'run', run_id,
            'treatment', toString(treatment), 'channel', {_words(_CHANNELS, "channel_type")},
            'reason', if(reason = 0, '', {_words(_REASONS, "reason")}), 'detail', detail)
    )) AS attributes,
    if(parts = 0, CAST(map(), 'Map(String, Float64)'), map('parts', toFloat64(parts))) AS metrics
"""


def source(
    application: str,
    parameters: Parameters,
    *,
    event_types: Sequence[str] = (),
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    conditions: Sequence[str] = (),
) -> str:
    """A subquery of all events of these types (none: all types) in this time.

    `conditions` are ANDed into both halves, over the columns of `_CLIENT_COLUMNS`.
    """
    wanted = [f"application = {parameters.add(application, 'String')}", *conditions]
    if start_time is not None:
        wanted.append(f"event_time >= {instant(start_time, parameters)}")
    if end_time is not None:
        wanted.append(f"event_time < {instant(end_time, parameters)}")
    if event_types:
        wanted.append(f"event_type IN {parameters.add(list(event_types), 'Array(String)')}")
    where = " AND ".join(wanted)
    halves = []
    if not event_types or any(not name.startswith(MESSAGE_PREFIX) for name in event_types):
        halves.append(f"SELECT {_CLIENT_COLUMNS} FROM events FINAL WHERE {where}")
    if not event_types or any(name.startswith(MESSAGE_PREFIX) for name in event_types):
        halves.append(f"SELECT {_MESSAGE_COLUMNS} FROM message_events FINAL WHERE {where}")
    return f"({' UNION ALL '.join(halves)})"


def instant(time: datetime, parameters: Parameters) -> str:
    """A moment, to the microsecond."""
    micros = (time - EPOCH) // MICROSECOND
    return f"fromUnixTimestamp64Micro({parameters.add(micros, 'Int64')}, 'UTC')"
