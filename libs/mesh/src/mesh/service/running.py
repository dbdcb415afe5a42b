"""A service from its first connection to its last call: started in order, stopped in reverse."""

import asyncio
import gc
import json
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

from mesh.rpc import health
from mesh.rpc.server import rpc_server
from mesh.service.lifetimes import Lifetime, lifetime
from mesh.service.settings import ServiceSettings
from mesh.telemetry import logging, metrics

SettingsType = TypeVar("SettingsType", bound=ServiceSettings)
Serve: TypeAlias = Callable[[SettingsType, AsyncExitStack], Awaitable[Mapping[str, object]]]

GC_THRESHOLD = 10_000
"""New objects from one garbage collection to the next. With Python's own 700 it runs several times
while a batch is rendered, and never finds anything."""

_log = logging.get(__name__)


async def run(settings: SettingsType, serve: Serve[SettingsType]) -> int:
    """Serve until SIGTERM, SIGINT or a failed loop; returns the exit status of the process.

    Stopping takes twice the grace at most: once for the calls in work, once for all the rest.
    TimeoutError when it would take longer.
    """
    life = Lifetime()
    lifetime.set(life)
    with _signals(life):
        async with asyncio.timeout(None) as limit, AsyncExitStack() as stack:
            host = settings.listen.rpartition(":")[0]
            metrics_port = await stack.enter_async_context(
                metrics.serving(host, settings.metrics_port)
            )
            services = await serve(settings, stack)
            server = await stack.enter_async_context(rpc_server(settings, services))
            ports = {"grpc": server.port, "metrics": metrics_port}
            if settings.health_listen:
                ports["health"] = await stack.enter_async_context(
                    health.serving(settings.health_listen, server.checks)
                )
            _announce(settings, ports)
            _log.info("service.ready", grpc_port=server.port, metrics_port=metrics_port)
            _freeze()
            await life.stopping()
            _log.info("service.stopping", grace_seconds=settings.shutdown_grace_seconds)
            now = asyncio.get_running_loop().time()
            limit.reschedule(now + 2 * settings.shutdown_grace_seconds)
    _log.info("service.stopped")
    return 1 if life.failure else 0


def _freeze() -> None:
    """Keeps what was loaded so far, and stays for good, out of every later garbage collection, and
    has those come less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


@contextmanager
def _signals(life: Lifetime) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    chosen = (signal.SIGTERM, signal.SIGINT)
    for number in chosen:
        loop.add_signal_handler(number, life.stop)
    try:
        yield
    finally:
        for number in chosen:
            loop.remove_signal_handler(number)


def _announce(settings: ServiceSettings, ports: dict[str, int]) -> None:
    """Write the ports file in one step, so that who waits for it never reads half of it."""
    if not settings.ports_file:
        return
    target = Path(settings.ports_file)
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(ports))
    partial.replace(target)
