"""`heliograph events`: things that happened in an app."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heliograph.analytics.v1.event_pb2 import Event
    from heliograph.client import Client

app = App(name="events", help="Events: put, list.")

COLUMNS = {
    "event": "event.event_id",
    "type": "event.event_type",
    "time": "event.event_time",
    "endpoint": "event.endpoint_id",
    "attributes": "event.attributes",
}
BATCH_SIZE = 100


@app.command
def put(
    event_type: str = "",
    /,
    *,
    app: str,
    endpoint: str = "",
    file: Path | None = None,
    json: bool = False,
) -> None:
    """Record an event of this moment, or the events of a file.

    Parameters
    ----------
    event_type
        For example cart.add or _session.start.
    endpoint
        The endpoint id it happened to.
    file
        JSON lines of heliograph.analytics.v1.Event.
    """
    if bool(event_type) == bool(file):
        sys.exit("heliograph: expected an event type, or --file FILE")
    events = list(_read(file)) if file else [_now(event_type, endpoint)]

    async def run(mesh: "Client") -> tuple[int, list[Any]]:
        return await _put(mesh, application(app), events)

    accepted, refusals = talk(run)
    if json:
        output.print_json(
            {"accepted_count": accepted, "refusals": [output.as_dict(row) for row in refusals]}
        )
        return
    output.print_table(["accepted", "refused"], [(accepted, len(refusals))])
    if refusals:
        output.print_table(
            ["event", "reason"], [(row.event_id, row.error.message) for row in refusals[:20]]
        )


async def _put(mesh: "Client", parent: str, events: "list[Event]") -> tuple[int, list[Any]]:
    from heliograph.analytics.v1.event_service_pb2 import PutEventsRequest

    accepted = 0
    refusals: list[Any] = []
    for start in range(0, len(events), BATCH_SIZE):
        answer = await mesh.events.PutEvents(
            PutEventsRequest(parent=parent, events=events[start : start + BATCH_SIZE])
        )
        accepted += answer.accepted_count
        refusals += answer.refusals
    return accepted, refusals


def _now(event_type: str, endpoint: str) -> "Event":
    import uuid

    from heliograph.analytics.v1.event_pb2 import Event

    event = Event(event_id=str(uuid.uuid4()), event_type=event_type, endpoint_id=endpoint)
    event.event_time.GetCurrentTime()
    return event


def _read(file: Path) -> "Iterator[Event]":
    from google.protobuf import json_format
    from heliograph.analytics.v1.event_pb2 import Event

    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"heliograph: {file} cannot be read: {error}")
    for number, line in enumerate(lines, start=1):
        try:
            yield json_format.Parse(line, Event())
        except json_format.ParseError as error:
            sys.exit(f"heliograph: {file}, line {number}: not an event: {error}")


@app.command(name="list")
def list_(*, app: str, endpoint: str = "", limit: int = 20, json: bool = False) -> None:
    """List recorded events, newest first."""
    from heliograph.analytics.v1.event_service_pb2 import ListEventsRequest
    from heliograph.paging import collect

    request = ListEventsRequest(parent=application(app), endpoint_id=endpoint)
    found = talk(lambda mesh: collect(mesh.events.ListEvents, request, "events", limit=limit))
    output.print_messages(found, COLUMNS, as_json=json)
