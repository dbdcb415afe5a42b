"""`heliograph endpoints`: who can be reached."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App
from heliograph.cli import exporting, output, refused_rows
from heliograph.cli.explaining import explain
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.client import Client

app = App(name="endpoints", help="Endpoints: import, export, show, list, explain.")
app.command(exporting.export)
app.command(explain)

COLUMNS = {
    "endpoint": "name",
    "channel": "channel_type",
    "address": "address",
    "country": "location.country",
    "status": "status",
    "opt-out": "opt_out",
    "user": "user.user_id",
}
FAILURES_SHOWN = 20


@app.command(name="import")
def import_(
    *files: Path,
    app: str,
    segment: str = "",
    skip_endpoints: bool = False,
    failures: Path | None = None,
    json: bool = False,
) -> None:
    """Import endpoints from CSV (Pinpoint's dotted headers), JSON lines or Parquet files.

    Bad rows are reported by line and reason; the rest is imported.

    Parameters
    ----------
    files
        Recognised by what they hold, else by name; gzip and zstd are unpacked on the way.
    app
        The application they belong to.
    segment
        A segment that gets what is in the file as its members; a row may be a user id alone. Each
        file makes a new version.
    skip_endpoints
        Write no endpoint: the rows only say who is in the segment.
    failures
        File for every bad row with its line and reason: CSV, or JSON lines if named *.jsonl.
    """
    missing = [str(path) for path in files if not path.is_file()]
    if missing or not files:
        sys.exit(f"heliograph: expected files to import; not there: {', '.join(missing) or 'any'}")

    if failures:
        refused_rows.check(failures)

    from heliograph.audience.v1.import_job_pb2 import ImportSpec

    spec = ImportSpec(segment_id=segment, skip_endpoints=skip_endpoints)

    async def run(mesh: "Client") -> list[Any]:
        jobs = [await _import(mesh, app, path, spec, quiet=json) for path in files]
        if failures:
            names = [(path.name, job.name) for path, (job, _) in zip(files, jobs, strict=True)]
            await refused_rows.write(mesh, failures, names)
        return jobs

    jobs = talk(run)
    if json:
        output.print_json(
            [
                {**output.as_dict(job), "failures": [output.as_dict(row) for row in refused]}
                for job, refused in jobs
            ]
        )
    else:
        _print_jobs(files, jobs)
    if failures:
        sys.stderr.write(f"bad rows: {failures}\n")
    failed = [
        f"{path.name}: {job.error.message}"
        for path, (job, _) in zip(files, jobs, strict=True)
        if job.HasField("error")
    ]
    if failed:
        sys.exit("heliograph: " + "\n".join(failed))


async def _import(
    mesh: "Client", app: str, path: Path, spec: Any, *, quiet: bool
) -> tuple[Any, list[Any]]:
    """Upload one file and follow its job to any end; the job and its first failures."""
    from heliograph.audience.v1 import import_job_pb2, transfer_service_pb2
    from heliograph.cli.progress import bar
    from heliograph.errors import HeliographError
    from heliograph.imports import follow, upload
    from heliograph.paging import collect

    operation = await upload(mesh, application(app), path, spec)
    job = import_job_pb2.ImportJob()
    try:
        with bar(path.name, quiet=quiet) as advance:
            async for job in follow(mesh, operation):
                advance(job.processed_bytes, job.total_bytes)
    except HeliographError:
        # What it imported and refused before it failed is worth knowing.
        if not job.HasField("error"):
            raise
    failures: list[import_job_pb2.ImportFailure] = []
    if job.failed_count:
        failures = await collect(
            mesh.transfers.ListImportFailures,
            transfer_service_pb2.ListImportFailuresRequest(parent=job.name),
            "import_failures",
            limit=FAILURES_SHOWN,
        )
    return job, failures


def _print_jobs(files: tuple[Path, ...], jobs: list[Any]) -> None:
    from heliograph.audience.v1.import_job_pb2 import ImportJob

    output.print_table(
        ["file", "state", "imported", "new", "bad rows"],
        [
            (
                path.name,
                ImportJob.State.Name(job.state),
                job.imported_count,
                job.created_count,
                job.failed_count,
            )
            for path, (job, _) in zip(files, jobs, strict=True)
        ],
    )
    for path, (job, failures) in zip(files, jobs, strict=True):
        if failures:
            output.print_table(
                ["line", "field", "reason", "what was expected"],
                [(row.line, row.field, row.reason, row.description) for row in failures],
                title=f"{path.name}: {job.failed_count} bad rows, the first {len(failures)}",
            )


@app.command
def show(endpoint: str, *, app: str, json: bool = False) -> None:
    """Show one endpoint."""
    from heliograph.audience.v1.endpoint_service_pb2 import GetEndpointRequest

    request = GetEndpointRequest(name=resource(app, "endpoints", endpoint))
    output.print_message(talk(lambda mesh: mesh.endpoints.GetEndpoint(request)), as_json=json)


@app.command(name="list")
def list_(*, app: str, where: str = "", limit: int = 20, json: bool = False) -> None:
    """List endpoints by id; `--where 'channel_type = SMS AND attributes.color:red'` (AIP-160)."""
    from heliograph.audience.v1.endpoint_service_pb2 import ListEndpointsRequest
    from heliograph.paging import collect

    request = ListEndpointsRequest(
        parent=application(app), page_size=min(limit, 1000), filter=where
    )
    found = talk(
        lambda mesh: collect(mesh.endpoints.ListEndpoints, request, "endpoints", limit=limit)
    )
    output.print_messages(found, COLUMNS, as_json=json)
