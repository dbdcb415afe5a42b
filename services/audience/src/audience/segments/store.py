"""The statements on segments and their versions."""

from collections.abc import Collection, Sequence

from heliograph.audience.v1 import segment_filter_pb2, segment_pb2
from mesh.aip import resource_names
from mesh.errors import NotFound
from sqlalchemy import and_, or_, tuple_
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.segments import lists
from audience.tables import SegmentRow, SegmentVersionRow


async def get(
    session: AsyncSession, application: str, segment: str, *, lock: bool = False
) -> SegmentRow:
    """The segment, or NOT_FOUND."""
    row = await session.get(SegmentRow, (application, segment), with_for_update=lock or None)
    if row is None:
        name = resource_names.format(names.SEGMENT, application=application, segment=segment)
        raise NotFound("SEGMENT_NOT_FOUND", f"{name} does not exist", segment=name)
    return row


async def version(
    session: AsyncSession, application: str, segment: str, number: int
) -> SegmentVersionRow:
    """A version of a segment, or NOT_FOUND."""
    row = await session.get(SegmentVersionRow, (application, segment, number))
    if row is None:
        ids = {"application": application, "segment": segment, "version": str(number)}
        name = resource_names.format(names.SEGMENT_VERSION, **ids)
        raise NotFound("SEGMENT_VERSION_NOT_FOUND", f"{name} does not exist", version=name)
    return row


async def resolve(
    session: AsyncSession, name: str
) -> tuple[str, str, segment_filter_pb2.SegmentFilter]:
    """The application, the version and the filter of a segment, or of a version of it, by name."""
    ids = resource_names.match(names.SEGMENT_VERSION, name)
    if ids is not None:
        number = parsed_version(name, ids["version"])
        row = await version(session, ids["application"], ids["segment"], number)
    else:
        ids = resource_names.parse(names.SEGMENT, name)
        newest = await get(session, ids["application"], ids["segment"])
        row = await version(session, ids["application"], ids["segment"], newest.version)
    found = names.version_name(row.application, row.segment, row.version)
    return row.application, found, question(row)


def question(row: SegmentVersionRow) -> segment_filter_pb2.SegmentFilter:
    """What a version asks of an endpoint: its filter, or whether it is in its list."""
    if not row.import_job:
        return segment_filter_pb2.SegmentFilter.FromString(row.filter)
    return lists.question(row.application, row.import_job, imported(row))


def imported(row: SegmentVersionRow) -> segment_pb2.ImportedMembers:
    """What is known of the list of a version that an import brought."""
    return segment_pb2.ImportedMembers.FromString(row.imported)


async def sources(
    session: AsyncSession, application: str, wanted: Collection[str]
) -> dict[str, tuple[str, segment_filter_pb2.SegmentFilter]]:
    """Versions and their filters, by the names of segments or versions that stand for them."""
    asked = {name: names.source_of(name, field="segments")[1:] for name in wanted}
    pinned = [
        (segment, int(number)) for segment, number in asked.values() if names.is_version(number)
    ]
    query = (
        select(SegmentVersionRow, SegmentRow.version)
        .join(
            SegmentRow,
            and_(
                col(SegmentRow.application) == col(SegmentVersionRow.application),
                col(SegmentRow.segment) == col(SegmentVersionRow.segment),
            ),
        )
        .where(
            col(SegmentVersionRow.application) == application,
            col(SegmentVersionRow.segment).in_({segment for segment, _ in asked.values()}),
            or_(
                col(SegmentVersionRow.version) == col(SegmentRow.version),
                tuple_(col(SegmentVersionRow.segment), col(SegmentVersionRow.version)).in_(pinned),
            ),
        )
    )
    found = {}
    for row, newest in (await session.exec(query)).all():
        version = names.version_name(application, row.segment, row.version)
        found[version] = (version, question(row))
        if row.version == newest:
            found[names.segment_name(application, row.segment)] = found[version]
    return {name: found[name] for name in wanted if name in found}


async def page(
    session: AsyncSession, application: str, *, after: str, limit: int
) -> Sequence[tuple[SegmentRow, SegmentVersionRow]]:
    """The next segments, by id, each with its newest version."""
    query = (
        select(SegmentRow, SegmentVersionRow)
        .where(
            col(SegmentRow.application) == application,
            col(SegmentRow.segment) > after,
            col(SegmentVersionRow.application) == col(SegmentRow.application),
            col(SegmentVersionRow.segment) == col(SegmentRow.segment),
            col(SegmentVersionRow.version) == col(SegmentRow.version),
        )
        .order_by(col(SegmentRow.segment))
        .limit(limit)
    )
    return (await session.exec(query)).all()


async def versions(
    session: AsyncSession, application: str, segment: str, *, before: int | None, limit: int
) -> Sequence[SegmentVersionRow]:
    """The next versions of a segment, newest first."""
    query = select(SegmentVersionRow).filter_by(application=application, segment=segment)
    if before is not None:
        query = query.where(col(SegmentVersionRow.version) < before)
    ordered = query.order_by(col(SegmentVersionRow.version).desc()).limit(limit)
    return (await session.exec(ordered)).all()


async def remove(session: AsyncSession, row: SegmentRow) -> None:
    """Delete a segment; its versions go with it."""
    await session.exec(
        delete(SegmentRow).where(
            col(SegmentRow.application) == row.application, col(SegmentRow.segment) == row.segment
        )
    )


def parsed_version(name: str, text: str) -> int:
    """The number of a version; one that is none does not exist."""
    if not names.is_version(text):
        raise NotFound("SEGMENT_VERSION_NOT_FOUND", f"{name} does not exist", version=name)
    return int(text)
