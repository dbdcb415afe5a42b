"""What was exported of a person to object stores: fetched, rewritten and put back, job by job."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mesh.errors import Error, NotFound, Unavailable
from mesh.eventing.orders import Kept
from mesh.objects.opening import Objects
from mesh.objects.stores import Object, Store
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from mesh.telemetry import logging

from audience.persons import rewriting
from audience.persons.rewriting import Sought
from audience.transfers.tables import ExportJobRow

PIECE_BYTES: Final = 8 * 1024 * 1024

_log = logging.get(__name__)


class ExportedObjects:
    """Takes a person out of the objects that export jobs have written, each once."""

    def __init__(self, sessions: Sessions, objects: Objects) -> None:
        self._sessions = sessions
        self._objects = objects
        self._seen: dict[str, set[str]] = {}
        self._unread: dict[str, set[str]] = {}

    async def erase(self, order: OrderRow, job: ExportJobRow, sought: Sought) -> int:
        """Rewrite the objects of a job that hold the person; rows found.

        Raises Unavailable while the store does not answer. What it refuses is named afterwards.
        """
        seen = self._seen.setdefault(order.operation, set())
        found = 0
        for name in job.files:
            text = job.path + name
            if text in seen:
                continue
            try:
                rows = await self._rewrite(order.application, text, sought)
            except (Unavailable, TimeoutError):
                raise
            except NotFound:
                rows = 0  # somebody has deleted it
            except (Error, OSError, ValueError) as error:
                _log.warning("export.not_rewritten", path=text, error=repr(error))
                self._unread.setdefault(order.operation, set()).add(text)
                rows = 0
            if rows:
                await orders.count(self._sessions, order, "exported rows", rows)
            seen.add(text)
            found += rows
        return found

    def keeping(self, order: OrderRow) -> list[Kept]:
        """Objects that were not rewritten, and places where older ones may be."""
        self._seen.pop(order.operation, None)
        why = "it could not be rewritten, so the person may be in it: delete it"
        unread = sorted(self._unread.pop(order.operation, set()))
        kept = [Kept(f"export {text}", why, 1) for text in unread]
        why = "objects of jobs that are forgotten are not rewritten: delete them"
        roots = self._objects.roots("export", order.application)
        return kept + [Kept(f"exports below {root}", why) for root in roots]

    async def _rewrite(self, application: str, text: str, sought: Sought) -> int:
        store, uri = self._objects.find("export", application, text)
        found = await store.head(uri.key)
        with TemporaryDirectory(prefix="erasing-") as folder:
            path = Path(folder) / Path(uri.key).name
            await _fetch(store, found, path)
            rows = await asyncio.to_thread(rewriting.rewrite, path, sought)
            if rows:
                await store.put(uri.key, path)
        return rows


async def _fetch(store: Store, found: Object, path: Path) -> None:
    with path.open("wb") as file:
        for start in range(0, found.size_bytes, PIECE_BYTES):
            end = min(start + PIECE_BYTES, found.size_bytes)
            file.write(await store.read(found, start, end))
