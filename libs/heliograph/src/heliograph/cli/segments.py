"""`heliograph segments`: saved questions about endpoints."""

import sys
from typing import TYPE_CHECKING, Any

from cyclopts import App
from heliograph.cli import confirming, output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.segment_filter_pb2 import SegmentFilter

app = App(name="segments", help="Segments: create, list, show, update, delete, count, preview.")

MEMBER_COLUMNS = {
    "endpoint": "name",
    "channel": "channel_type",
    "address": "address",
    "country": "location.country",
    "user": "user.user_id",
    "attributes": "attributes",
}


@app.command
def create(segment: str, filter: str, *, app: str, json: bool = False) -> None:
    """Create a segment.

    Parameters
    ----------
    segment
        Its id.
    filter
        Its filter tree as JSON of heliograph.audience.v1.SegmentFilter, or @FILE. For example
        '{"location": {"field": "COUNTRY", "operator": "INCLUSIVE", "values": ["US", "CA"]}}'.
    """
    from heliograph.audience.v1.segment_pb2 import Segment
    from heliograph.audience.v1.segment_service_pb2 import CreateSegmentRequest

    request = CreateSegmentRequest(
        parent=application(app), segment_id=segment, segment=Segment(filter=parse(filter))
    )
    output.print_message(talk(lambda mesh: mesh.segments.CreateSegment(request)), as_json=json)


@app.command
def show(segment: str, *, app: str, json: bool = False) -> None:
    """Show a segment: its filter, or the list that an import brought."""
    from heliograph.audience.v1.segment_service_pb2 import GetSegmentRequest

    request = GetSegmentRequest(name=resource(app, "segments", segment))
    output.print_message(talk(lambda mesh: mesh.segments.GetSegment(request)), as_json=json)


@app.command
def update(
    segment: str,
    filter: str = "",
    *,
    app: str,
    display_name: str | None = None,
    description: str | None = None,
    json: bool = False,
) -> None:
    """Change a segment. A new filter makes a new version; runs under way keep to theirs.

    Parameters
    ----------
    filter
        Its new filter tree, as for create.
    display_name
        What people call it; '' ends it.
    description
        What it is for; '' ends it.
    """
    from google.protobuf.field_mask_pb2 import FieldMask
    from heliograph.audience.v1.segment_pb2 import Segment
    from heliograph.audience.v1.segment_service_pb2 import UpdateSegmentRequest

    given = {
        "filter": filter or None,
        "display_name": display_name,
        "description": description,
    }
    paths = [path for path, text in given.items() if text is not None]
    if not paths:
        sys.exit("heliograph: nothing is to be changed; see --help for what can be")
    changed = Segment(
        name=resource(app, "segments", segment),
        filter=parse(filter) if filter else None,
        display_name=display_name or "",
        description=description or "",
    )
    request = UpdateSegmentRequest(segment=changed, update_mask=FieldMask(paths=paths))
    output.print_message(talk(lambda mesh: mesh.segments.UpdateSegment(request)), as_json=json)


@app.command
def delete(segment: str, *, app: str, yes: bool = False) -> None:
    """Delete a segment with all its versions; its members stay.

    Parameters
    ----------
    yes
        That this is meant; without it, nothing is deleted.
    """
    from heliograph.audience.v1.segment_service_pb2 import DeleteSegmentRequest

    confirming.require(yes, f"deletes segment {segment} of {app}")
    request = DeleteSegmentRequest(name=resource(app, "segments", segment))
    talk(lambda mesh: mesh.segments.DeleteSegment(request))


@app.command(name="list")
def list_(*, app: str, json: bool = False) -> None:
    """List the segments of an application."""
    from heliograph.audience.v1.segment_service_pb2 import ListSegmentsRequest
    from heliograph.paging import collect

    request = ListSegmentsRequest(parent=application(app))
    found = talk(lambda mesh: collect(mesh.segments.ListSegments, request, "segments"))
    if json:
        output.print_messages(found, {}, as_json=True)
        return
    output.print_table(
        ["segment", "version", "members", "display name"],
        [
            (one.name.rpartition("/")[2], one.version, members(one), one.display_name)
            for one in found
        ],
    )


def members(segment: Any) -> str:
    """What makes somebody a member."""
    if segment.WhichOneof("definition") != "imported":
        return "whoever matches its filter"
    brought = segment.imported
    listed = [f"{brought.endpoint_count:,} endpoints"] if brought.endpoint_count else []
    listed += [f"{brought.user_count:,} user ids"] if brought.user_count else []
    return f"a list: {' and '.join(listed) or 'nobody'}"


@app.command
def count(segment: str, *, app: str, json: bool = False) -> None:
    """Count a segment's members: all, and those that can be reached, by channel."""
    from heliograph.audience.v1.segment_service_pb2 import CountSegmentRequest

    request = CountSegmentRequest(name=resource(app, "segments", segment))
    counted = talk(lambda mesh: mesh.segments.CountSegment(request))
    if json:
        output.print_json(output.as_dict(counted))
        return
    rows: list[tuple[Any, ...]] = [
        (channel, total, counted.eligible_by_channel[channel])
        for channel, total in sorted(counted.counts_by_channel.items())
    ]
    output.print_table(
        ["channel", "members", "eligible"], [*rows, ("all", counted.total, counted.eligible)]
    )


@app.command
def preview(segment: str, *, app: str, limit: int = 10, json: bool = False) -> None:
    """Show the first members of a segment."""
    from heliograph.audience.v1.segment_service_pb2 import PreviewSegmentRequest

    request = PreviewSegmentRequest(name=resource(app, "segments", segment), page_size=limit)
    answer = talk(lambda mesh: mesh.segments.PreviewSegment(request))
    output.print_messages(list(answer.endpoints)[:limit], MEMBER_COLUMNS, as_json=json)
    if answer.out_of_reach and not json:
        ids = ", ".join(name.rpartition("/")[2] for name in answer.out_of_reach)
        sys.stdout.write(f"out of reach, as `heliograph endpoints explain` tells: {ids}\n")


def parse(text: str) -> "SegmentFilter":
    """A filter tree from JSON or from the file after an `@`; a sentence if it is none."""
    from pathlib import Path

    from google.protobuf import json_format
    from heliograph.audience.v1.segment_filter_pb2 import SegmentFilter

    try:
        source = Path(text[1:]).read_text() if text.startswith("@") else text
        return json_format.Parse(source, SegmentFilter())
    except OSError as error:
        sys.exit(f"heliograph: the filter's file cannot be read: {error}")
    except json_format.ParseError as error:
        sys.exit(f"heliograph: not a segment filter: {error}{_expected(str(error))}")


def _expected(refusal: str) -> str:
    """The values of the enum that a parser's refusal speaks of; nothing if it speaks of none."""
    import re

    from google.protobuf import descriptor_pool

    named = re.search(r"enum type ([\w.]+)", refusal)
    if not named:
        return ""
    enum = descriptor_pool.Default().FindEnumTypeByName(named[1].rstrip("."))
    names = [value.name for value in enum.values if value.number]
    return f" Expected one of {', '.join(names)}."
