"""`heliograph endpoints export`: endpoints as files, there or here."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.export_job_pb2 import ExportJob, ExportSpec
    from heliograph.client import Client

FORMATS = {"jsonl": "JSON_LINES", "csv": "CSV", "parquet": "PARQUET"}


def export(
    file: Path | None = None,
    /,
    *,
    app: str,
    segment: str = "",
    folder: str = "",
    format: Literal["jsonl", "csv", "parquet"] = "jsonl",
    compression: Literal["plain", "gzip", "zstd"] = "plain",
    per_file: int = 0,
    json: bool = False,
) -> None:
    """Export endpoints: to a file here, or with --folder to files where the mesh runs.

    Parameters
    ----------
    file
        JSON lines; named *.gz it is packed. Other formats are written with --folder.
    segment
        Only its members: a segment, or a version of one.
    folder
        Below the application's folder in the mesh's export folder, or in an object store as
        s3://bucket/key/, gs:// or az://; empty, or not there yet.
    per_file
        Endpoints in a file of the folder; 0 means 250,000.
    """
    if bool(file) == bool(folder):
        sys.exit("heliograph: expected a file, or --folder FOLDER")
    named = resource(app, "segments", segment) if segment else ""
    if file:
        _refuse_for_a_file(format, compression, per_file)
        _here(file, app, named, as_json=json)
        return
    from heliograph.audience.v1.export_job_pb2 import ExportSpec
    from heliograph.audience.v1.import_job_pb2 import FileCompression, FileFormat

    spec = ExportSpec(
        format=FileFormat.Value(FORMATS[format]),
        compression=FileCompression.Value(compression.upper()),
        segment=named,
        endpoints_per_file=per_file,
    )
    job = talk(lambda mesh: _there(mesh, app, folder, spec, quiet=json))
    if json:
        output.print_message(job, as_json=True)
        return
    output.print_table(
        ["folder", "endpoints", "files"], [(job.target, job.exported_count, len(job.files))]
    )


def _refuse_for_a_file(format: str, compression: str, per_file: int) -> None:
    """A file here is JSON lines, packed by its name: what asks for more would be ignored."""
    stated = {
        "--format": format != "jsonl",
        "--compression": compression != "plain",
        "--per-file": per_file,
    }
    if unheard := [option for option, given in stated.items() if given]:
        words = " and ".join(unheard)
        sys.exit(f"heliograph: {words} only with --folder; a file is JSON lines, *.gz packs it")


async def _there(
    mesh: "Client", app: str, folder: str, spec: "ExportSpec", *, quiet: bool
) -> "ExportJob":
    """Have files written where the mesh runs; the job as it ended."""
    from heliograph.audience.v1.export_job_pb2 import ExportJob
    from heliograph.audience.v1.transfer_service_pb2 import ExportEndpointsRequest
    from heliograph.cli.progress import bar
    from heliograph.exports import follow

    request = ExportEndpointsRequest(parent=application(app), spec=spec)
    setattr(request, "uri" if "://" in folder else "path", folder)
    operation = await mesh.transfers.ExportEndpoints(request)
    job = ExportJob()
    with bar(folder, quiet=quiet) as advance:
        async for job in follow(mesh, operation):
            advance(job.exported_count, job.total_count)
    return job


def _here(file: Path, app: str, segment: str, *, as_json: bool) -> None:
    """Stream endpoints to a file of this machine."""
    if not file.parent.is_dir():
        sys.exit(f"heliograph: {file} cannot be written: there is no folder {file.parent}")

    async def run(mesh: "Client") -> int:
        from heliograph.cli.progress import bar
        from heliograph.exports import stream

        total, count = await _total(mesh, segment), 0
        with bar(file.name, quiet=as_json) as advance:
            async for count in stream(mesh, application(app), file, segment):
                advance(count, max(total, count))
        return count

    count = talk(run)
    if as_json:
        output.print_json({"file": str(file), "exported_count": count})
    else:
        output.print_table(["file", "endpoints"], [(str(file), count)])


async def _total(mesh: "Client", segment: str) -> int:
    """How many there will be, to show progress by; 0 where that is not known."""
    from heliograph.audience.v1.segment_service_pb2 import CountSegmentRequest

    if not segment:
        return 0
    return (await mesh.segments.CountSegment(CountSegmentRequest(name=segment))).total  # type: ignore[no-any-return]  # grpc.aio
