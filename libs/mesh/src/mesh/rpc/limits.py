"""Limits of every connection: message sizes and keep-alive, the same on both ends."""

MESSAGE_MAX_BYTES = 16 * 1024 * 1024
UNARY_TIMEOUT_SECONDS = 30.0

_KEEPALIVE_MS = 30_000
_KEEPALIVE_TIMEOUT_MS = 10_000
_PING_INTERVAL_MIN_MS = 10_000
# gRPC's own limit is two minutes: so long would a service that is back be taken for dead.
_RECONNECT_BACKOFF_MS = 100
_RECONNECT_BACKOFF_MAX_MS = 2_000

Options = list[tuple[str, str | int]]

_BOTH: Options = [
    ("grpc.max_send_message_length", MESSAGE_MAX_BYTES),
    ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]

CHANNEL: Options = [
    *_BOTH,
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.enable_retries", 1),
    ("grpc.initial_reconnect_backoff_ms", _RECONNECT_BACKOFF_MS),
    ("grpc.min_reconnect_backoff_ms", _RECONNECT_BACKOFF_MS),
    ("grpc.max_reconnect_backoff_ms", _RECONNECT_BACKOFF_MAX_MS),
]

SERVER: Options = [
    *_BOTH,
    ("grpc.keepalive_time_ms", 2 * _KEEPALIVE_MS),
    # A server that sees pings more often than it permits closes the connection.
    ("grpc.http2.min_ping_interval_without_data_ms", _PING_INTERVAL_MIN_MS),
    ("grpc.so_reuseport", 0),
]
