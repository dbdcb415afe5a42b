"""Import jobs and their failures as messages."""

from google.rpc import status_pb2
from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.aip import resource_names

from audience import names
from audience.moments import timestamp
from audience.tables import ImportFailureRow, ImportJobRow


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
