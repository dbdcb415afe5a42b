"""What is deleted when it is old: ended imports, operations, request ids, opt-outs that ended."""

from datetime import timedelta
from typing import Final

from mesh.aip import operations, request_ids
from mesh.store.purging import ROWS_MAX, Purge

from audience.settings import Settings

OPT_INS_KEPT: Final = timedelta(days=30)
"""An older opt-out that comes later than this would count again; the bus keeps it for a week."""
JOBS_MAX: Final = 50
"""Jobs whose refused rows are looked for at once, the oldest first."""

# Job by job, so that the primary key finds the rows however many there are of other jobs.
_OF_OLD_JOBS: Final = f"""ctid = ANY(ARRAY(
    SELECT f.ctid
    FROM (
        SELECT application, import_job FROM import_job WHERE end_time < :before
        ORDER BY end_time LIMIT {JOBS_MAX}
    ) AS j
    CROSS JOIN LATERAL (
        SELECT ctid FROM import_failure
        WHERE application = j.application AND import_job = j.import_job LIMIT {ROWS_MAX}
    ) AS f
    LIMIT {ROWS_MAX}
))"""

# A job may have lost millions of rows, so it goes after the last of them.
_EMPTY_OLD_JOBS: Final = """end_time < :before AND NOT EXISTS (
    SELECT FROM import_failure f
    WHERE f.application = import_job.application AND f.import_job = import_job.import_job
)"""


def purges(settings: Settings) -> list[Purge]:
    """In the order in which they must be done."""
    imports = timedelta(days=settings.import_retention_days)
    requests = timedelta(days=settings.request_id_retention_days)
    return [
        Purge("import_failure", _OF_OLD_JOBS, imports),
        Purge("import_job", _EMPTY_OLD_JOBS, imports),
        Purge("export_job", "end_time < :before", timedelta(days=settings.export_retention_days)),
        operations.finished(imports),
        request_ids.aged(requests),
        Purge("address_opt_out", "change_time < :before AND NOT opted_out", OPT_INS_KEPT),
    ]
