"""Import jobs with their failures, and export jobs, as messages."""

from google.rpc import status_pb2
from heliograph.audience.v1 import export_job_pb2
from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.aip import resource_names

from audience import names
from audience.moments import timestamp
from audience.tables import ExportJobRow, ImportFailureRow, ImportJobRow
from audience.transfers.parts import Places


def name(row: ImportJobRow) -> str:
    """The resource name of a job."""
    ids = {"application": row.application, "import_job": row.import_job}
    return resource_names.format(names.IMPORT_JOB, **ids)


def import_job(row: ImportJobRow) -> pb.ImportJob:
    """The ImportJob of a row."""
    job = pb.ImportJob(
        name=name(row),
        spec=pb.ImportSpec.FromString(row.spec),
        source=row.source,
        total_bytes=row.total_bytes,
        processed_bytes=row.before_bytes + (row.stored_bytes or row.processed_bytes),
        processed_lines=row.processed_lines,
        imported_count=row.imported_count,
        created_count=row.created_count,
        failed_count=row.failed_count,
        deactivated_count=row.deactivated_count,
        create_time=timestamp(row.create_time),
        operation=row.operation,
        segment=row.segment,
        part_count=row.part_count,
        processed_part_count=_parts_done(row),
    )
    job.state = pb.ImportJob.State.ValueType(row.state)
    job.format = pb.FileFormat.ValueType(row.format)
    job.format_evidence = pb.ImportJob.Evidence.ValueType(row.evidence)
    job.compression = pb.FileCompression.ValueType(row.compression)
    if row.error:
        job.error.CopyFrom(status_pb2.Status.FromString(row.error))
    if row.start_time:
        job.start_time.CopyFrom(timestamp(row.start_time))
    if row.end_time:
        job.end_time.CopyFrom(timestamp(row.end_time))
    return job


def _parts_done(row: ImportJobRow) -> int:
    return row.part_count if row.state == pb.ImportJob.SUCCEEDED else row.part


def import_failure(row: ImportFailureRow, places: Places) -> pb.ImportFailure:
    """The ImportFailure of a row."""
    file, line = places.of(row.line)
    return pb.ImportFailure(
        line=line, field=row.field, reason=row.reason, description=row.description, file=file
    )


def export_job(row: ExportJobRow) -> export_job_pb2.ExportJob:
    """The ExportJob of a row."""
    ids = {"application": row.application, "export_job": row.export_job}
    job = export_job_pb2.ExportJob(
        name=resource_names.format(names.EXPORT_JOB, **ids),
        spec=export_job_pb2.ExportSpec.FromString(row.spec),
        target=row.target,
        exported_count=row.exported_count,
        total_count=row.total_count,
        files=row.files,
        read_time=timestamp(row.read_time),
        create_time=timestamp(row.create_time),
        operation=row.operation,
    )
    job.state = export_job_pb2.ExportJob.State.ValueType(row.state)
    if row.segment:
        job.spec.segment = row.segment
    if row.error:
        job.error.CopyFrom(status_pb2.Status.FromString(row.error))
    if row.start_time:
        job.start_time.CopyFrom(timestamp(row.start_time))
    if row.end_time:
        job.end_time.CopyFrom(timestamp(row.end_time))
    return job
