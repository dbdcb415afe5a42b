"""Segments as messages."""

from heliograph.audience.v1 import segment_pb2 as pb
from mesh.aip import etags, resource_names

from audience import names
from audience.moments import timestamp
from audience.segments import store
from audience.tables import SegmentRow, SegmentVersionRow


def segment(row: SegmentRow, version: SegmentVersionRow) -> pb.Segment:
    """The Segment of a row, with the definition of one of its versions."""
    ids = {"application": row.application, "segment": row.segment}
    rendered = pb.Segment(
        name=resource_names.format(names.SEGMENT, **ids),
        display_name=row.display_name,
        description=row.description,
        labels=row.labels,
        version=version.version,
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        etag=etags.render(row.revision),
    )
    if version.import_job:
        rendered.imported.CopyFrom(store.imported(version))
    else:
        rendered.filter.CopyFrom(store.question(version))
    return rendered


def version(row: SegmentRow, version: SegmentVersionRow) -> pb.SegmentVersion:
    """The SegmentVersion of a row."""
    ids = {"application": row.application, "segment": row.segment, "version": str(version.version)}
    return pb.SegmentVersion(
        name=resource_names.format(names.SEGMENT_VERSION, **ids),
        segment=segment(row, version),
        create_time=timestamp(version.create_time),
    )
