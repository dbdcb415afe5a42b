"""The commands of a service: `serve`, `migrate`, `up`, which is both, and `--help`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from mesh import telemetry
from mesh.service.running import Serve, SettingsType, run
from mesh.service.settings import ServiceSettings, help_text
from mesh.telemetry import logging
from pydantic import ValidationError

_USAGE_ERROR = 2

_log = logging.get(__name__)


def main(
    name: str,
    settings_cls: type[SettingsType],
    serve: Serve[SettingsType],
    migrations: Path,
    argv: Sequence[str] | None = None,
    *,
    migrate_further: Callable[[SettingsType], Awaitable[object]] | None = None,
) -> None:
    """Run the service `name` as its command line says, and exit with 0, 1 (failed) or 2 (usage).

    `serve` wires the service: it enters what it needs into the stack it is given, in order, and
    returns its servicers by full service name. `migrations` is its alembic folder;
    `migrate_further` migrates whatever else the service keeps, after its database.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    command, *rest = arguments or ["serve"]
    if command in ("--help", "-h", "help"):
        sys.stdout.write(help_text(name, settings_cls))
    elif command == "serve" and not rest:
        settings = _settings(settings_cls)
        sys.exit(_run(name, settings, run(settings, serve)))
    elif command == "migrate" and len(rest) <= 1:
        settings = _settings(settings_cls)
        sys.exit(_run(name, settings, _migrate(settings, migrations, migrate_further, *rest)))
    elif command == "up" and not rest:
        settings = _settings(settings_cls)
        sys.exit(_run(name, settings, _up(settings, serve, migrations, migrate_further)))
    else:
        sys.stderr.write(help_text(name, settings_cls))
        sys.exit(_USAGE_ERROR)


def _settings(settings_cls: type[SettingsType]) -> SettingsType:
    try:
        return settings_cls()
    except ValidationError as invalid:
        prefix = settings_cls.model_config.get("env_prefix", "")
        for problem in invalid.errors(include_input=False, include_url=False):
            variable = f"{prefix}{'_'.join(map(str, problem['loc']))}".upper()
            sys.stderr.write(f"{variable}: {problem['msg']}\n")
        sys.exit(_USAGE_ERROR)


def _run(name: str, settings: ServiceSettings, command: Coroutine[Any, Any, int]) -> int:
    telemetry.setup(name, settings)
    try:
        return asyncio.run(command)
    except Exception:
        _log.critical("service.failed", exc_info=True)
        return 1


async def _migrate(
    settings: SettingsType,
    migrations: Path,
    further: Callable[[SettingsType], Awaitable[object]] | None,
    to: str = "head",
) -> int:
    # Only this command needs alembic; serving starts faster without it.
    from mesh.store import migrate

    await migrate.upgrade(settings.database_url, migrations, to)
    if further is not None:
        await further(settings)
    return 0


async def _up(
    settings: SettingsType,
    serve: Serve[SettingsType],
    migrations: Path,
    further: Callable[[SettingsType], Awaitable[object]] | None,
) -> int:
    """For one machine: two processes would load the same twice."""
    await _migrate(settings, migrations, further)
    return await run(settings, serve)
