"""`heliograph opt-outs`: who must not be written to, brought in, taken out and counted."""

import gzip
import re
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App
from heliograph.cli import opted_out, output, refused_rows
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heliograph.cli.refused_rows import Row
    from heliograph.client import Client
    from heliograph.opt_outs import Imported
    from heliograph.twoway.v1.opt_out_service_pb2 import (
        ExportOptedOutNumbersRequest,
        ExportOptedOutNumbersResponse,
        ImportOptedOutNumbersResponse,
    )

app = App(
    name="opt-outs",
    help="Who is on opt-out lists: list, add, remove, history, import, export, count.",
)
app.command(opted_out.list_, name="list")
app.command(opted_out.add)
app.command(opted_out.remove)
app.command(opted_out.history)

REFUSALS_SHOWN = 20
GZIP = b"\x1f\x8b"
ADDRESS = re.compile(r"file:|[a-z][a-z0-9]+://")
"""What stands before a file that the mesh reads itself."""


@app.command(name="import")
def import_(
    file: str,
    *,
    app: str,
    list: str = "default",
    comment: str = "",
    failures: Path | None = None,
    json: bool = False,
) -> None:
    """Opt out who stands in a file of another platform; bad lines are told, the rest is taken.

    Parameters
    ----------
    file
        CSV whose first line names a column phone_number, and may name opt_out_time and
        end_user_opted_out; or JSON lines as Pinpoint's DescribeOptedOutNumbers gives them; *.gz is
        packed. Or an address that the mesh reads itself: file:PATH below the application's folder
        of its import folder, s3://bucket/key, gs://, az:// or https://.
    list
        The opt-out list.
    comment
        Why, for the record of consent.
    failures
        File for every bad line with its reason: CSV, or JSON lines if named *.jsonl.
    """
    parent = resource(app, "optOutLists", list)
    if failures:
        refused_rows.check(failures)
    content = None if ADDRESS.match(file) else _content(Path(file))

    name = file.rpartition("/")[2]

    async def run(mesh: "Client") -> "ImportOptedOutNumbersResponse":
        from heliograph.opt_outs import Imported

        imported = Imported()
        try:
            await _import(mesh, parent, file, content, comment, imported, quiet=json)
        finally:
            # What one that fails has refused before is worth knowing.
            if failures:
                await refused_rows.write(failures, _rows(mesh, name, imported))
                sys.stderr.write(f"bad lines: {failures}\n")
        return imported.response

    _print_import(talk(run), as_json=json)


async def _import(
    mesh: "Client",
    parent: str,
    file: str,
    content: bytes | None,
    comment: str,
    imported: "Imported",
    *,
    quiet: bool,
) -> None:
    from heliograph import opt_outs
    from heliograph.cli.progress import bar

    total = content.count(b"\n") if content is not None else 0
    with bar(file.rpartition("/")[2], quiet=quiet) as advance:
        told = lambda read: advance(read, total)  # noqa: E731
        if content is None:
            await opt_outs.import_from(mesh, parent, file, comment, told, imported=imported)
        else:
            await opt_outs.import_(mesh, parent, content, comment, told, imported=imported)


async def _rows(mesh: "Client", name: str, imported: "Imported") -> "AsyncIterator[Row]":
    from heliograph import opt_outs

    async for one in opt_outs.refusals(mesh, imported):
        yield name, one.line, one.field, one.reason, one.description


def _print_import(ended: "ImportOptedOutNumbersResponse", *, as_json: bool) -> None:
    if as_json:
        output.print_message(ended, as_json=True)
        return
    output.print_table(
        ["lines", "opted out", "on the list already", "bad lines"],
        [(ended.read_count, ended.opted_out_count, ended.present_count, ended.refused_count)],
    )
    if ended.refusals:
        shown = ended.refusals[:REFUSALS_SHOWN]
        rows = [(one.line, one.field, one.reason, one.description) for one in shown]
        title = f"{ended.refused_count} bad lines, the first {len(rows)}"
        output.print_table(["line", "field", "reason", "what was expected"], rows, title=title)


@app.command
def export(
    file: Path | None = None,
    /,
    *,
    app: str,
    list: str = "default",
    folder: str = "",
    format: Literal["csv", "jsonl"] = "csv",
    compression: Literal["plain", "gzip"] = "plain",
    per_file: int = 0,
    json: bool = False,
) -> None:
    """Write who is on an opt-out list to a file here, or with --folder where the mesh runs; either
    can be imported again.

    Parameters
    ----------
    file
        CSV, or JSON lines if it is named *.jsonl; packed if it is named *.gz.
    list
        The opt-out list.
    folder
        Below the application's folder of the mesh's export folder, or in an object store as
        s3://bucket/key/, gs:// or az://; empty, or not there yet.
    per_file
        Numbers in a file of the folder; 0 means 1,000,000.
    """
    if bool(file) == bool(folder):
        sys.exit("heliograph: expected a file, or --folder FOLDER")
    parent = resource(app, "optOutLists", list)
    if file:
        if format != "csv" or compression != "plain" or per_file:
            sys.exit("heliograph: a file is written as it is named: say more only with --folder")
        _here(file, parent, as_json=json)
        return
    from heliograph.twoway.v1.opt_out_service_pb2 import ExportOptedOutNumbersRequest as Request

    request = Request(
        parent=parent,
        uri=folder if "://" in folder else f"file:{folder}",
        format=Request.Format.Value({"csv": "CSV", "jsonl": "JSON_LINES"}[format]),
        compression=Request.Compression.Value(compression.upper()),
        numbers_per_file=per_file,
    )
    _there(request, as_json=json)


def _here(file: Path, parent: str, *, as_json: bool) -> None:
    async def run(mesh: "Client") -> int:
        from heliograph import opt_outs
        from heliograph.cli.progress import bar

        with bar(file.name, quiet=as_json) as advance:
            return await opt_outs.export(mesh, parent, file, lambda count: advance(count, 0))

    try:
        count = talk(run)
    except OSError as error:
        sys.exit(f"heliograph: {file} cannot be written: {error.strerror}")
    if as_json:
        output.print_json({"file": str(file), "written_count": count})
    else:
        sys.stdout.write(f"{file}: {count} numbers\n")


def _there(request: "ExportOptedOutNumbersRequest", *, as_json: bool) -> None:
    async def run(mesh: "Client") -> "ExportOptedOutNumbersResponse":
        from heliograph import opt_outs
        from heliograph.cli.progress import bar

        with bar(request.uri, quiet=as_json) as advance:
            return await opt_outs.export_to(mesh, request, advance)

    ended = talk(run)
    if as_json:
        output.print_message(ended, as_json=True)
        return
    output.print_table(
        ["folder", "numbers", "files"], [(request.uri, ended.written_count, len(ended.uris))]
    )


def _content(file: Path) -> bytes:
    """What a file of this machine holds, unpacked."""
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP) else content
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        sys.exit(f"heliograph: {file} cannot be read: {said}")


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
