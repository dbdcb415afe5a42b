"""Health alone, in plain text on a port of its own, for probes that cannot present a certificate.

Kubernetes' gRPC probes speak no mutual TLS (KEP-4939), and what they learn is no secret.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health


@asynccontextmanager
async def serving(listen: str, checks: health.HealthServicer) -> AsyncIterator[int]:
    """Answer what `checks` knows on `listen`, host and port; yields the port.

    OSError when it cannot listen.
    """
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        raise OSError(f"cannot listen on {listen}") from None
    await server.start()
    try:
        yield port
    finally:
        await server.stop(grace=0)
