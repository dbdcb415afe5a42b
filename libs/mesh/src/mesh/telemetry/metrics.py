"""Prometheus metrics over HTTP at /metrics, and the buckets that fit seconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server

LATENCY_BUCKETS_SECONDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip


@asynccontextmanager
async def serving(
    host: str, port: int, registry: CollectorRegistry = REGISTRY
) -> AsyncIterator[int]:
    """Serve /metrics in a thread; yields the port, chosen by the system when `port` is 0."""
    server, thread = start_http_server(port, addr=host, registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
