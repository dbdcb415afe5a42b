"""A folder as the source of one import: its files or objects one after another, by name.

Lines are counted through all parts, so that a job's failures keep their order; whoever is told of
one hears its part, and the line there.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from mesh.errors import Error, FailedPrecondition, NotFound
from mesh.errors.refusals import shown
from mesh.objects import sources
from mesh.objects.opening import Objects, waited
from mesh.objects.sources import FileFacts
from mesh.objects.stores import Object
from mesh.objects.uris import Uri
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.tables import ImportJobRow, ImportPartRow
from audience.transfers import formats
from audience.transfers.chunks import Chunk
from audience.transfers.reading import Chunks

PARTS_MAX: Final = 10_000
_MARKS: Final = ("_", ".")
"""Names that begin so are not data: `_SUCCESS`, `.crc`."""


async def find(objects: Objects, application: str, text: str, form: int) -> list[FileFacts]:
    """The objects of a folder, but those that are named for another format than the stated one.

    Refuses a folder that is not open, has none, or holds too many (OBJECTS_TOO_MANY).
    """
    store, uri = objects.find("import", application, text)
    async with waited(text):
        listed = await store.below(uri.key, PARTS_MAX + 1)
    return _chosen(text, [_facts(uri, one) for one in listed], form, "OBJECT_NOT_FOUND")


def find_files(folder: str, application: str, path: str, form: int) -> list[FileFacts]:
    """The same of the operator's folder (IMPORT_FILE_UNREADABLE where there are none)."""
    listed = sources.find_folder(folder, application, path, PARTS_MAX + 1)
    return _chosen(path, listed, form, "IMPORT_FILE_UNREADABLE")


def _chosen(text: str, listed: list[FileFacts], form: int, none: str) -> list[FileFacts]:
    if len(listed) > PARTS_MAX:
        message = f"{shown(text)} holds more than {PARTS_MAX} files"
        raise FailedPrecondition("OBJECTS_TOO_MANY", message, folder=text, most=str(PARTS_MAX))
    found = [one for one in listed if _is_data(one) and formats.fits(form, one.name)]
    if not found:
        raise NotFound(none, f"{shown(text)}: nothing to import is there", folder=text)
    return found


def _facts(uri: Uri, one: Object) -> FileFacts:
    address = str(uri._replace(key=one.key))
    return FileFacts(address, one.size_bytes, etag=one.etag, name=address)


def _is_data(one: FileFacts) -> bool:
    return one.size_bytes > 0 and not one.name.rpartition("/")[2].startswith(_MARKS)


def add(session: AsyncSession, job: ImportJobRow, files: Sequence[FileFacts]) -> None:
    """Note the parts of a new job."""
    job.part_count = len(files)
    job.total_bytes = sum(file.size_bytes for file in files)
    key = {"application": job.application, "import_job": job.import_job}
    session.add_all(
        ImportPartRow(
            **key,
            part=number,
            path=file.path,
            size_bytes=file.size_bytes,
            etag=file.etag,
            name=file.name,
            changed_seconds=file.changed_seconds,
            before_lines=None if number else 0,
        )
        for number, file in enumerate(files)
    )


async def current(session: AsyncSession, job: ImportJobRow) -> ImportJobRow:
    """The job as if the part that it is at were all of it."""
    if not job.part_count:
        return job
    part = await _get(session, job, job.part)
    return ImportJobRow(
        **{
            **job.model_dump(),
            "path": part.path,
            "source": part.name or part.path,
            "file_changed_seconds": part.changed_seconds,
            "total_bytes": part.size_bytes,
            "etag": part.etag,
            "processed_lines": job.processed_lines - job.before_lines,
        }
    )


async def go_on(session: AsyncSession, job: ImportJobRow) -> bool:
    """Move a job to its next part; false when there is none."""
    if job.part + 1 >= job.part_count:
        return False
    job.before_bytes += (await _get(session, job, job.part)).size_bytes
    job.before_lines = job.processed_lines
    job.part, job.processed_bytes, job.stored_bytes = job.part + 1, 0, 0
    (await _get(session, job, job.part)).before_lines = job.before_lines
    return True


async def _get(session: AsyncSession, job: ImportJobRow, number: int) -> ImportPartRow:
    part = await session.get(ImportPartRow, (job.application, job.import_job, number))
    assert part is not None
    return part


class Counted:
    """Chunks of a part, their lines counted through all parts."""

    def __init__(self, chunks: Chunks, before_lines: int) -> None:
        self._chunks = chunks
        self._before = before_lines

    async def next(self) -> Chunk | None:
        """The next chunk, None after the last."""
        chunk = await self._chunks.next()
        if chunk is None or not self._before:
            return chunk
        return chunk._replace(
            lines=[line + self._before for line in chunk.lines],
            failures=[one._replace(line=one.line + self._before) for one in chunk.failures],
            users=[(line + self._before, user_id) for line, user_id in chunk.users],
            line=chunk.line + self._before,
        )


def named(error: Error, file: ImportJobRow) -> Error:
    """An error of one of several parts, with its address."""
    if file.part_count and file.source not in error.message:
        error.message = f"{shown(file.source)}: {error.message}"
        error.metadata["file"] = file.source
    return error


class Places:
    """Tells of a line which part it is in, and which line there."""

    def __init__(self, parts: Sequence[tuple[int, str]]) -> None:
        self._starts = [start for start, _ in parts]
        self._paths = [path for _, path in parts]

    def of(self, line: int) -> tuple[str, int]:
        """Address and line; an empty address where the job has one file."""
        if not self._starts:
            return "", line
        index = bisect_right(self._starts, line - 1) - 1
        return self._paths[index], line - self._starts[index]


async def places(session: AsyncSession, application: str, import_job: str) -> Places:
    """Of the parts that a job has begun."""
    before = col(ImportPartRow.before_lines)
    query = (
        select(before, ImportPartRow.name, ImportPartRow.path)
        .filter_by(application=application, import_job=import_job)
        .where(before.is_not(None))
        .order_by(col(ImportPartRow.part))
    )
    found = (await session.exec(query)).all()
    return Places([(start or 0, name or path) for start, name, path in found])
