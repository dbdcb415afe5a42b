"""Exported objects lose somebody who is erased: fetched, rewritten and put back, each once."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mesh.errors import Error, NotFound, Unavailable
from mesh.eventing.orders import Kept
from mesh.objects import rewriting
from mesh.objects.opening import Objects
from mesh.objects.rewriting import Rewrite
from mesh.objects.stores import Object, Store
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from mesh.telemetry import logging

PIECE_BYTES: Final = 8 * 1024 * 1024
NOT_REWRITTEN: Final = "it could not be rewritten, so the person may be in it: delete it"
FORGOTTEN: Final = "objects of jobs that are forgotten are not rewritten: delete them"

_log = logging.get(__name__)


class ErasedObjects:
    """Takes persons out of objects in the places that are open for exports."""

    def __init__(self, sessions: Sessions, objects: Objects) -> None:
        self._sessions = sessions
        self._objects = objects
        self._seen: dict[str, set[str]] = {}
        self._unread: dict[str, set[str]] = {}

    async def erase(self, order: OrderRow, rewrite: Rewrite, uris: Iterable[str]) -> int:
        """Rewrite the objects of these addresses; rows found.

        Raises Unavailable while the store does not answer. What it refuses is named afterwards.
        """
        seen = self._seen.setdefault(order.operation, set())
        found = 0
        for uri in uris:
            if uri not in seen:
                rows = await self._taken_out(order, rewrite, uri)
                seen.add(uri)
                found += rows
        return found

    def keeping(self, order: OrderRow) -> list[Kept]:
        """Objects that were not rewritten, and places where older ones may be."""
        self._seen.pop(order.operation, None)
        unread = sorted(self._unread.pop(order.operation, set()))
        kept = [Kept(f"export {uri}", NOT_REWRITTEN, 1) for uri in unread]
        roots = self._objects.roots("export", order.application)
        return kept + [Kept(f"exports below {root}", FORGOTTEN) for root in roots]

    async def _taken_out(self, order: OrderRow, rewrite: Rewrite, uri: str) -> int:
        try:
            rows = await self._rewrite(order.application, uri, rewrite)
        except (Unavailable, TimeoutError):
            raise
        except NotFound:
            return 0  # somebody has deleted it
        except (Error, OSError, ValueError) as error:
            _log.warning("export.not_rewritten", path=uri, error=repr(error))
            self._unread.setdefault(order.operation, set()).add(uri)
            return 0
        if rows:
            await orders.count(self._sessions, order, "exported rows", rows)
        return rows

    async def _rewrite(self, application: str, text: str, rewrite: Rewrite) -> int:
        store, uri = self._objects.find("export", application, text)
        found = await store.head(uri.key)
        with TemporaryDirectory(prefix="erasing-") as folder:
            path = Path(folder) / Path(uri.key).name
            await _fetch(store, found, path)
            rows = await asyncio.to_thread(rewriting.rewritten, path, rewrite)
            if rows:
                await store.put(uri.key, path)
        return rows


async def _fetch(store: Store, found: Object, path: Path) -> None:
    with path.open("wb") as file:
        for start in range(0, found.size_bytes, PIECE_BYTES):
            end = min(start + PIECE_BYTES, found.size_bytes)
            file.write(await store.read(found, start, end))
