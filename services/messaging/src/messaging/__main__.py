"""Wiring: what the messaging service is made of, started in order and stopped in reverse."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from mesh import service

from messaging.assembly import Assembly
from messaging.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


async def serve(settings: Settings, stack: AsyncExitStack) -> Mapping[str, object]:
    """Opens connections and starts the loops; the servicers by service name."""
    assembly = await Assembly.make(settings, stack)
    await assembly.start(stack)
    return assembly.services


if __name__ == "__main__":
    service.main("messaging", Settings, serve, MIGRATIONS)
