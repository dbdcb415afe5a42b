"""A whole service in one screen: long-running operations, and a loop that can be made to fail."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from google.longrunning import operations_pb2  # noqa: F401 - registers the contract
from mesh.aip.operations_servicer import OperationsServicer
from mesh.service import ServiceSettings, background, main
from mesh.store import engine
from mesh.telemetry import logging
from pydantic import Field, SecretStr

_log = logging.get(__name__)


class Settings(ServiceSettings):
    """The settings of every service, and two more."""

    loop_fails: bool = Field(default=False, description="Whether the loop fails.")
    close_hangs: bool = Field(default=False, description="Whether closing never ends.")
    api_secret: SecretStr = Field(default=SecretStr("hush"), description="Never shown.")


async def serve(settings: Settings, stack: AsyncExitStack) -> dict[str, object]:
    sqlalchemy = engine.create(settings.database_url)
    stack.push_async_callback(sqlalchemy.dispose)
    if settings.close_hangs:
        stack.push_async_callback(asyncio.Event().wait)
    background(stack, loop(settings), "loop")
    return {"google.longrunning.Operations": OperationsServicer(engine.sessions(sqlalchemy))}


async def loop(settings: Settings) -> None:
    _log.info("loop.started", fails=settings.loop_fails)
    if settings.loop_fails:
        raise RuntimeError("the loop is broken")


if __name__ == "__main__":
    main("sample", Settings, serve, Path(__file__).parent / "migrations")
