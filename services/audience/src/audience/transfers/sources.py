"""Where the bytes of a job come from: a file of the operator's folder, an object, or an upload."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from mesh.objects.opening import Objects
from mesh.objects.sources import FileFacts, Files, changed
from mesh.pulling import SPAN_BYTES
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.tables import ImportBlockRow, ImportJobRow


class Sources:
    """Reads what jobs were made for, and refuses it once it is something else."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], objects: Objects) -> None:
        self._sessions = sessions
        self._files = Files(objects)

    def blocks(self, job: ImportJobRow, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a job's file from `offset` on."""
        if job.path:
            return self._files.blocks(job.application, _file(job), offset)
        return self._upload_blocks(job, offset)

    async def at(self, job: ImportJobRow, offset: int) -> bytes:
        """Some bytes of a job's file from `offset` on, for who goes on elsewhere."""
        if job.path:
            return await self._files.at(job.application, _file(job), offset, SPAN_BYTES)
        async with aclosing(self.blocks(job, offset)) as blocks:
            return await anext(blocks, b"")

    async def _upload_blocks(self, job: ImportJobRow, offset: int) -> AsyncGenerator[bytes, None]:
        position = col(ImportBlockRow.position)
        mine = select(ImportBlockRow).filter_by(
            application=job.application, import_job=job.import_job
        )
        while offset < job.total_bytes:
            query = mine.where(position <= offset).order_by(position.desc()).limit(1)
            async with self._sessions() as session:
                block = (await session.exec(query)).first()
            if block is None or offset >= block.position + len(block.data):
                raise changed(job.source)
            yield block.data[offset - block.position :]
            offset = block.position + len(block.data)


def _file(job: ImportJobRow) -> FileFacts:
    """What a job was made for."""
    return FileFacts(job.path, job.total_bytes, job.file_changed_seconds, job.etag, job.source)
