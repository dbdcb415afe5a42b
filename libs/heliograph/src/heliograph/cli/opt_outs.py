"""`heliograph opt-outs`: who must not be written to, brought in, taken out and counted."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.client import Client
    from heliograph.twoway.v1.opt_out_service_pb2 import ImportOptedOutNumbersResponse

app = App(name="opt-outs", help="Opt-out lists: import, export, count.")

REFUSALS_SHOWN = 20


@app.command(name="import")
def import_(
    file: Path, *, app: str, list: str = "default", comment: str = "", json: bool = False
) -> None:
    """Opt out who stands in a file of another platform; bad lines are told, the rest is taken.

    Parameters
    ----------
    file
        CSV whose first line names a column phone_number, and may name opt_out_time and
        end_user_opted_out; or JSON lines as Pinpoint's DescribeOptedOutNumbers gives them.
    list
        The opt-out list.
    comment
        Why, for the record of consent.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        sys.exit(f"heliograph: {file} cannot be read: {error.strerror}")
    parent = resource(app, "optOutLists", list)

    async def run(mesh: "Client") -> "ImportOptedOutNumbersResponse":
        from heliograph import opt_outs
        from heliograph.cli.progress import bar

        total = content.count(b"\n")
        with bar(file.name, quiet=json) as advance:
            return await opt_outs.import_(
                mesh, parent, content, comment, lambda read: advance(read, total)
            )

    ended = talk(run)
    if json:
        output.print_message(ended, as_json=True)
        return
    output.print_table(
        ["lines", "opted out", "on the list already", "bad lines"],
        [(ended.read_count, ended.opted_out_count, ended.present_count, ended.refused_count)],
    )
    if ended.refusals:
        shown = ended.refusals[:REFUSALS_SHOWN]
        rows = [(refusal.line, refusal.reason) for refusal in shown]
        title = f"{ended.refused_count} bad lines, the first {len(rows)}"
        output.print_table(["line", "reason"], rows, title=title)


@app.command
def export(file: Path, *, app: str, list: str = "default") -> None:
    """Write who is on an opt-out list into a CSV file, which can be imported again.

    Parameters
    ----------
    list
        The opt-out list.
    """
    parent = resource(app, "optOutLists", list)

    async def run(mesh: "Client") -> int:
        from heliograph import opt_outs

        with file.open("w", newline="") as opened:
            return await opt_outs.export(mesh, parent, opened)

    try:
        count = talk(run)
    except OSError as error:
        sys.exit(f"heliograph: {file} cannot be written: {error.strerror}")
    sys.stdout.write(f"{file}: {count} numbers\n")


@app.command
def count(
    *,
    app: str,
    by: Literal[
        "opt-out-list", "origination-identity", "keyword-text", "campaign", "day"
    ] = "opt-out-list",
    json: bool = False,
) -> None:
    """Count who opted out and who came back, over all the time.

    Parameters
    ----------
    by
        What to count by.
    """
    from heliograph.twoway.v1.opt_out_service_pb2 import SummarizeConsentChangesRequest

    group_by = SummarizeConsentChangesRequest.GroupBy.Value(by.upper().replace("-", "_"))
    request = SummarizeConsentChangesRequest(parent=application(app), group_by=group_by)
    answer = talk(lambda mesh: mesh.opt_outs.SummarizeConsentChanges(request))
    if json:
        output.print_message(answer, as_json=True)
        return
    rows = [(row.group or "-", row.opted_out_count, row.opted_in_count) for row in answer.rows]
    output.print_table([by.replace("-", " "), "opted out", "opted in"], rows)
