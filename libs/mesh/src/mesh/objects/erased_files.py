"""Exported files in a folder lose somebody who is erased; what a row is, and whose, the caller
knows."""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mesh.errors import Unavailable
from mesh.eventing.orders import Kept
from mesh.objects import rewriting
from mesh.objects.erased_objects import NOT_REWRITTEN, ErasedObjects
from mesh.objects.opening import Objects
from mesh.objects.rewriting import Rewrite
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from mesh.telemetry import logging
from sqlmodel import func, select

_log = logging.get(__name__)


@dataclass(frozen=True)
class Naming:
    """Which files are exports, by their paths, and which are left of one that was never whole."""

    is_export: Callable[[Path], bool]
    is_left_behind: Callable[[Path], bool]


class ErasedFiles:
    """Takes persons out of exported files; the folder is one that all replicas see."""

    def __init__(
        self, sessions: Sessions, folder: str, objects: Objects | None, naming: Naming
    ) -> None:
        self._sessions = sessions
        self._folder = folder
        self._objects = ErasedObjects(sessions, objects or Objects())
        self._naming = naming
        self._unread: dict[str, set[Path]] = {}

    async def erase(self, order: OrderRow, rewrite: Rewrite, uris: Iterable[str]) -> int:
        """Rewrite every file of the application's folder, and the objects of these addresses; rows
        found.

        Raises Unavailable while another replica does so, or a store does not answer.
        """
        async with self._sessions.begin() as session:
            lock = select(func.pg_try_advisory_xact_lock(func.hashtextextended(order.operation, 0)))
            if not await session.scalar(lock):
                raise Unavailable("EXPORTS_IN_WORK", "another replica is at the exported files")
            found = await self._objects.erase(order, rewrite, uris)
            return found + (await self._in_folder(order, rewrite) if self._folder else 0)

    def keeping(self, order: OrderRow) -> list[Kept]:
        """Files that could not be rewritten, and places where forgotten ones may be."""
        unread = sorted(self._unread.pop(order.operation, set()))
        kept = [Kept(f"export {path}", NOT_REWRITTEN, 1) for path in unread]
        return kept + self._objects.keeping(order)

    async def _in_folder(self, order: OrderRow, rewrite: Rewrite) -> int:
        root = Path(self._folder) / order.application
        self._unread[order.operation] = set()
        found = 0
        for path in await asyncio.to_thread(list, self._files(root, order.order_time)):
            if self._naming.is_left_behind(path):
                await asyncio.to_thread(path.unlink, missing_ok=True)
            else:
                found += await self._rewrite(order, path, rewrite)
        return found

    async def _rewrite(self, order: OrderRow, path: Path, rewrite: Rewrite) -> int:
        try:
            rows = await asyncio.to_thread(rewriting.rewritten, path, rewrite)
        except (OSError, ValueError) as error:
            _log.warning("export.not_rewritten", path=str(path), error=repr(error))
            self._unread[order.operation].add(path)
            return 0
        if rows:
            await orders.count(self._sessions, order, "exported rows", rows)
        return rows

    def _files(self, root: Path, before: datetime) -> Iterator[Path]:
        """Exports below a folder, and what was left behind before; links are not followed."""
        for folder, _, names in os.walk(root):
            for path in (Path(folder) / name for name in names):
                if path.is_symlink():
                    continue
                if self._naming.is_left_behind(path):
                    if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                        yield path
                elif self._naming.is_export(path):
                    yield path
