"""The connection to NATS and the streams on it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from mesh.errors import Unavailable
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_SECONDS = 5
RECONNECT_WAIT_SECONDS = 0.5
PING_INTERVAL_SECONDS = 10
API_TIMEOUT_SECONDS = 5.0
PENDING_BYTES_MAX = 16 * 1024 * 1024
"""What may wait in this process while the server is away; more fails at once and is tried again."""

DAY_SECONDS = 24 * 60 * 60


class StreamDefinition(Protocol):
    """A stream as data; any object with these fields will do."""

    @property
    def name(self) -> str: ...
    @property
    def subjects(self) -> Sequence[str]: ...
    @property
    def max_age_seconds(self) -> int: ...
    @property
    def max_bytes(self) -> int: ...
    @property
    def duplicate_window_seconds(self) -> int: ...
    @property
    def work_queue(self) -> bool: ...


@asynccontextmanager
async def connect(
    nats_url: str,
    *,
    name: str = "",
    tls: ssl.SSLContext | None = None,
    start_timeout_seconds: float = 30.0,
) -> AsyncIterator[tuple[Client, JetStreamContext]]:
    """A connection that, once made, comes back by itself, for as long as it takes.

    `nats_url` may list several servers of a cluster, separated by commas. Raises Unavailable when
    none of them answers within `start_timeout_seconds`.
    """
    client = await _connected(nats_url.split(","), name, tls, start_timeout_seconds)
    try:
        yield client, client.jetstream(timeout=API_TIMEOUT_SECONDS)
    finally:
        await client.close()


async def ensure_stream(
    js: JetStreamContext,
    name: str,
    subjects: Sequence[str],
    *,
    max_age_seconds: int = 7 * DAY_SECONDS,
    max_bytes: int = 4 * 1024**3,
    duplicate_window_seconds: int = 600,
    work_queue: bool = False,
    num_replicas: int = 1,
) -> StreamInfo:
    """Create the stream, or bring its subjects and limits up to date; safe with many at once.

    A stream with `work_queue` drops a message once it is acknowledged, and refuses new ones when it
    is full instead of dropping old ones.
    """
    config = StreamConfig(
        name=name,
        subjects=list(subjects),
        retention=RetentionPolicy.WORK_QUEUE if work_queue else RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW if work_queue else DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=max_age_seconds,
        max_bytes=max_bytes,
        duplicate_window=min(duplicate_window_seconds, max_age_seconds or duplicate_window_seconds),
        num_replicas=num_replicas,
        allow_direct=True,
    )
    try:
        await js.stream_info(name)
    except NotFoundError:
        # Creating with the same configuration is allowed, so two that get here agree.
        return await js.add_stream(config)
    return await js.update_stream(config)


async def ensure_streams(
    js: JetStreamContext, *streams: StreamDefinition, num_replicas: int = 1
) -> None:
    """`ensure_stream` for streams written down as data."""
    for stream in streams:
        await ensure_stream(
            js,
            stream.name,
            stream.subjects,
            max_age_seconds=stream.max_age_seconds,
            max_bytes=stream.max_bytes,
            duplicate_window_seconds=stream.duplicate_window_seconds,
            work_queue=stream.work_queue,
            num_replicas=num_replicas,
        )


async def wait_for_stream(
    js: JetStreamContext, name: str, timeout_seconds: float = 60.0, poll_seconds: float = 0.25
) -> StreamInfo:
    """Wait until the service that owns the stream has made it.

    Raises Unavailable with reason `STREAM_MISSING` when it is not there in time.
    """
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while True:
        try:
            return await js.stream_info(name)
        except (NatsError, OSError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(
                    "STREAM_MISSING", f"stream {name} is not there yet", stream=name
                ) from error
        await asyncio.sleep(poll_seconds)


async def _connected(
    servers: list[str], name: str, tls: ssl.SSLContext | None, timeout_seconds: float
) -> Client:
    client = Client()
    try:
        async with asyncio.timeout(timeout_seconds):
            await client.connect(
                servers,
                name=name or None,
                tls=tls,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                reconnect_time_wait=RECONNECT_WAIT_SECONDS,  # type: ignore[arg-type]  # it sleeps
                max_reconnect_attempts=-1,
                ping_interval=PING_INTERVAL_SECONDS,
                pending_size=PENDING_BYTES_MAX,
                error_cb=_log_error,
                disconnected_cb=_log_disconnect,
                reconnected_cb=_log_reconnect,
                closed_cb=_log_closed,
            )
    except (NatsError, OSError) as error:
        await client.close()
        reason = client.last_error or error
        raise Unavailable("NATS_UNREACHABLE", f"no NATS server answers: {reason!r}") from error
    return client


async def _log_error(error: Exception) -> None:
    log.warning("nats error", error=repr(error))


async def _log_disconnect() -> None:
    log.info("nats disconnected")


async def _log_closed() -> None:
    """Also when the server refuses our credentials for good, where it is the only sign."""
    log.info("nats connection closed")


async def _log_reconnect() -> None:
    log.info("nats reconnected")
