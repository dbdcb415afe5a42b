"""The verbs of a segment: what may be saved, and what makes a new version."""

from collections.abc import Sequence
from datetime import datetime

from heliograph.audience.v1 import segment_pb2 as pb
from mesh.errors import FailedPrecondition, Violation
from mesh.errors.refusals import invalid

from audience.segments import checks
from audience.tables import SegmentRow, SegmentVersionRow


def check(application: str, segment: pb.Segment, current: pb.Segment | None = None) -> None:
    """Refuse a definition that cannot be answered, or that `current` cannot become."""
    definition = segment.WhichOneof("definition")
    brought = current.imported if current and current.HasField("imported") else None
    if definition == "imported":
        if brought != segment.imported:
            description = "ImportEndpoints with spec.segment_id brings the members of a segment"
            raise invalid("SEGMENT_IMPORTED", "segment.imported", description)
        return
    if current and brought:
        raise _imported(current)
    if current and definition == "filter" and current.filter == segment.filter:
        return  # it was checked by the rules of its time
    if definition is None:
        raise invalid("FILTER_EMPTY", "segment.filter", "a segment needs a filter")
    checks.check(application, segment.filter, "segment.filter")


def _imported(segment: pb.Segment) -> FailedPrecondition:
    description = "an import brought its members; import a file to change them, or make another"
    return FailedPrecondition(
        "SEGMENT_IMPORTED",
        f"segment.filter: {segment.name} has none: {description}",
        violations=[Violation("segment.filter", description, "SEGMENT_IMPORTED")],
        field="segment.filter",
        segment=segment.name,
    )


def create(
    application: str, segment: str, message: pb.Segment, now: datetime
) -> tuple[SegmentRow, SegmentVersionRow]:
    """The rows of a new segment and its first version."""
    row = SegmentRow(
        application=application,
        segment=segment,
        display_name=message.display_name,
        description=message.description,
        labels=dict(message.labels),
        create_time=now,
        update_time=now,
    )
    return row, _version(row, message, now)


def update(
    row: SegmentRow, message: pb.Segment, paths: Sequence[str], now: datetime
) -> SegmentVersionRow | None:
    """Write the message into the row; the new version, if the definition changed."""
    row.display_name, row.description = message.display_name, message.description
    row.labels = dict(message.labels)
    row.update_time, row.revision = now, row.revision + 1
    if not any(path.partition(".")[0] == "filter" for path in paths):
        return None
    row.version += 1
    return _version(row, message, now)


def _version(row: SegmentRow, message: pb.Segment, now: datetime) -> SegmentVersionRow:
    return SegmentVersionRow(
        application=row.application,
        segment=row.segment,
        version=row.version,
        filter=message.filter.SerializeToString(deterministic=True),
        create_time=now,
    )
