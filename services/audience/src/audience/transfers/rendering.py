"""Import jobs with their failures, and export jobs, as messages."""

from google.rpc import status_pb2
from heliograph.audience.v1 import export_job_pb2
from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.aip import resource_names

from audience import names
from audience.moments import timestamp
from audience.tables import ExportJobRow, ImportFailureRow, ImportJobRow


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
        processed_bytes=row.stored_bytes or row.processed_bytes,
        processed_lines=row.processed_lines,
        imported_count=row.imported_count,
        created_count=row.created_count,
        failed_count=row.failed_count,
        deactivated_count=row.deactivated_count,
        create_time=timestamp(row.create_time),
        operation=row.operation,
        segment=row.segment,
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


def import_failure(row: ImportFailureRow) -> pb.ImportFailure:
    """The ImportFailure of a row."""
    return pb.ImportFailure(
        line=row.line, field=row.field, reason=row.reason, description=row.description
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
