"""`heliograph endpoints import`: files from here, and objects that the mesh reads by itself."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heliograph.cli import output, refused_rows
from heliograph.cli.names import application
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.import_job_pb2 import ImportFailure
    from heliograph.client import Client

FAILURES_SHOWN = 20


def import_(
    *files: str,
    app: str,
    segment: str = "",
    skip_endpoints: bool = False,
    readmit_erased: bool = False,
    failures: Path | None = None,
    json: bool = False,
) -> None:
    """Import endpoints from CSV (Pinpoint's dotted headers), JSON lines or Parquet files.

    Bad rows are reported by line and reason; the rest is imported.

    Parameters
    ----------
    files
        Files here, or objects as s3://bucket/key, gs://, az:// and https://, which the mesh reads
        by itself. Recognised by what they hold, else by name; gzip and zstd are unpacked.
    app
        The application they belong to.
    segment
        A segment that gets what is in the file as its members; a row may be a user id alone. Each
        file makes a new version.
    skip_endpoints
        Write no endpoint: the rows only say who is in the segment.
    readmit_erased
        Let in people who were erased and ask to be written to again; else their rows are refused.
    failures
        File for every bad row with its line and reason: CSV, or JSON lines if named *.jsonl.
    """
    _check(files)
    if skip_endpoints and not segment:
        sys.exit("heliograph: expected --segment: with --skip-endpoints alone, nothing is imported")

    if failures:
        refused_rows.check(failures)

    from heliograph.audience.v1.import_job_pb2 import ImportSpec

    spec = ImportSpec(
        segment_id=segment, skip_endpoints=skip_endpoints, readmit_erased=readmit_erased
    )

    async def run(mesh: "Client") -> list[Any]:
        jobs = [await _import(mesh, app, file, spec, quiet=json) for file in files]
        if failures:
            names = [(_name(file), job.name) for file, (job, _) in zip(files, jobs, strict=True)]
            await refused_rows.write(failures, refused_rows.of_jobs(mesh, names))
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
        f"{_name(file)}: {job.error.message}"
        for file, (job, _) in zip(files, jobs, strict=True)
        if job.HasField("error")
    ]
    if failed:
        sys.exit("heliograph: " + "\n".join(failed))


async def _import(
    mesh: "Client", app: str, file: str, spec: Any, *, quiet: bool
) -> tuple[Any, list[Any]]:
    """Import one file and follow its job to any end; the job and its first failures."""
    from heliograph.audience.v1 import import_job_pb2, transfer_service_pb2
    from heliograph.cli.progress import bar
    from heliograph.errors import HeliographError
    from heliograph.imports import follow, upload
    from heliograph.paging import collect

    if _is_object(file):
        request = transfer_service_pb2.ImportEndpointsRequest(
            parent=application(app), uri=file, spec=spec
        )
        operation = await mesh.transfers.ImportEndpoints(request)
    else:
        operation = await upload(mesh, application(app), Path(file), spec)
    job = import_job_pb2.ImportJob()
    try:
        with bar(_name(file), quiet=quiet) as advance:
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


def _print_jobs(files: tuple[str, ...], jobs: list[Any]) -> None:
    from heliograph.audience.v1.import_job_pb2 import ImportJob

    output.print_table(
        ["file", "state", "imported", "new", "bad rows"],
        [
            (
                _name(file),
                ImportJob.State.Name(job.state),
                job.imported_count,
                job.created_count,
                job.failed_count,
            )
            for file, (job, _) in zip(files, jobs, strict=True)
        ],
    )
    for file, (job, failures) in zip(files, jobs, strict=True):
        if failures:
            output.print_table(
                ["line", "field", "reason", "what was expected"],
                [(_place(row), row.field, row.reason, refused_rows.why(row)) for row in failures],
                title=f"{_name(file)}: {_shown(job.failed_count, len(failures))}",
            )


def _check(files: tuple[str, ...]) -> None:
    """End the command before its work when there is something that it cannot import."""
    here = [file for file in files if not _is_object(file)]
    if folders := [file for file in here if Path(file).is_dir()]:
        example = str(Path(folders[0]) / "*.csv")
        sys.exit(
            f"heliograph: expected files, not folders: {', '.join(folders)};"
            f" name the files in it, as in {example}"
        )
    missing = [file for file in here if not Path(file).is_file()]
    if missing or not files:
        sys.exit(f"heliograph: expected files to import; not there: {', '.join(missing) or 'any'}")


def _shown(count: int, shown: int) -> str:
    """How many bad rows there are, and whether these are all of them."""
    words = "1 bad row" if count == 1 else f"{count} bad rows"
    return words if count == shown else f"{words}, the first {shown}"


def _is_object(file: str) -> bool:
    return "://" in file


def _place(row: "ImportFailure") -> str:
    """The line, and where a folder was imported, of which file."""
    return f"{row.file.rpartition('/')[2]}:{row.line}" if row.file else str(row.line)


def _name(file: str) -> str:
    return file if _is_object(file) else Path(file).name
