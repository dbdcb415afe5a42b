"""Exported lists without a person who is erased and no longer on any list.

Who is on one stays in its files as on the list: the wish is kept for their sake, and a file tells
no more of it. The report of the erasure says of how many lines that is.
"""

import csv
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Final, cast

from heliograph.audience.v1.events_pb2 import UserErased
from mesh.errors import Unavailable
from mesh.eventing.orders import Kept
from mesh.objects import sources
from mesh.objects.erased_files import ErasedFiles, Naming
from mesh.objects.opening import Objects
from mesh.objects.rewriting import PARTIAL
from mesh.objects.whole_files import PARTIAL as UNFINISHED
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import addresses
from twoway.exports import files, jobs
from twoway.tables import OptedOutNumberRow

_NAME: Final = re.compile(r"opted-out-[0-9]{5,}\.(csv|jsonl)(\.gz)?")
PACKED: Final = ".gz"
_LEFT: Final = (UNFINISHED, PARTIAL)
_WHY: Final = "the person said STOP: it protects them, and the file has no more than the list"


@dataclass
class Lines:
    """The lines of files that are about a person's numbers."""

    gone: frozenset[str]
    """Numbers whose lines go."""
    staying: frozenset[str]
    stayed: dict[Path, int]
    """How many lines stay, by file."""

    def rewrite(self, path: Path, partial: Path) -> int:
        """Copy a file without the lines that go, if there are any; how many these are."""
        try:
            found = self._looked_for(path)
            if found:
                self._copy(path, partial)
            return found
        except (EOFError, zlib.error, csv.Error) as error:
            raise ValueError(f"{path} is damaged: {error}") from None

    def _looked_for(self, path: Path) -> int:
        found = stayed = 0
        with _reading(path) as source:
            for line in filter(self._may_be, source):
                number = _number(line)
                found += number in self.gone
                stayed += number in self.staying
        self.stayed[path] = stayed
        return found

    def _copy(self, path: Path, partial: Path) -> None:
        with _reading(path) as source, _writing(partial, packed=path.suffix == PACKED) as target:
            target.writelines(line for line in source if not self._goes(line))

    def _goes(self, line: bytes) -> bool:
        return bool(self._may_be(line)) and _number(line) in self.gone

    @cached_property
    def _may_be(self) -> Callable[[bytes], object]:
        """Tells, fast, lines that may be about one of the numbers."""
        numbers = sorted(self.gone | self.staying)
        return re.compile(b"|".join(re.escape(one.encode()) for one in numbers)).search


def _number(line: bytes) -> str:
    """The number that a line is about."""
    text = line.decode("utf-8", "replace")
    if text.startswith("{"):
        return str(json.loads(text).get(files.COLUMNS[0], ""))
    return next(csv.reader([text]), [""])[0]


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as stored:
        if path.suffix != PACKED:
            yield stored
            return
        with gzip.GzipFile(fileobj=stored) as unpacked:
            yield cast(IO[bytes], unpacked)


@contextmanager
def _writing(path: Path, *, packed: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as stored:
        if not packed:
            yield stored
            return
        with files.packed(stored) as target:
            yield target


class ExportedLists:
    """Takes a person out of exported lists; the folder is one that all replicas see."""

    def __init__(
        self, sessions: Sessions, folder: str = "", objects: Objects | None = None
    ) -> None:
        self._sessions = sessions
        self._files = ErasedFiles(sessions, folder, objects, Naming(is_export, is_left_behind))
        self._stayed: dict[str, dict[Path, int]] = {}

    async def erase(self, order: OrderRow) -> int:
        """Rewrite the files that hold the person without a list to hold them; lines found.

        Raises Unavailable while an export that began before the erasure is being written.
        """
        event = UserErased.FromString(order.subject)
        numbers = frozenset(filter(addresses.is_phone, event.addresses))
        if not numbers:
            return 0
        async with self._sessions() as session:
            writing = await jobs.begun(session, order.application, order.order_time)
            if writing:
                message = f"the export {writing} has read the person, perhaps"
                raise Unavailable("EXPORT_UNDER_WAY", message, operation=writing)
            staying = await _on_a_list(session, order.application, numbers)
            objects = filter(sources.is_object, await jobs.uris(session, order.application))
        # An object is looked at once, under a name of its own: what was counted before still holds.
        stayed = self._stayed.setdefault(order.operation, {})
        lines = Lines(numbers - staying, staying, stayed)
        return await self._files.erase(order, lines.rewrite, objects)

    async def keeping(self, order: OrderRow) -> list[Kept]:
        """The lines that stay, and files that could not be rewritten."""
        stayed = sum(self._stayed.pop(order.operation, {}).values())
        kept = [Kept("exported opt-out lists", _WHY, stayed)] if stayed else []
        return kept + self._files.keeping(order)


def is_export(path: Path) -> bool:
    """Whether a name is that of an exported list; audience may export to the same folder."""
    return _NAME.fullmatch(path.name) is not None


def is_left_behind(path: Path) -> bool:
    """Whether it is what a worker that died has left of one."""
    return path.name.endswith(_LEFT) and is_export(path.with_suffix(""))


async def _on_a_list(
    session: AsyncSession, application: str, numbers: frozenset[str]
) -> frozenset[str]:
    row = OptedOutNumberRow
    query = select(row.phone_number).where(
        row.application == application, col(row.phone_number).in_(numbers)
    )
    return frozenset((await session.exec(query)).all())
