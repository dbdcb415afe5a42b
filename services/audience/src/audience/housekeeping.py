"""What is deleted when it is old: ended imports, what no segment names of them, operations, …"""

from datetime import timedelta
from typing import Final

from mesh.aip import operations, request_ids
from mesh.store import orders
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
        SELECT ctid FROM {{table}}
        WHERE application = j.application AND import_job = j.import_job LIMIT {ROWS_MAX}
    ) AS f
    LIMIT {ROWS_MAX}
))"""

# A job may have lost millions of rows, so it goes after the last of them.
_EMPTY_OLD_JOBS: Final = """end_time < :before AND NOT EXISTS (
    SELECT FROM import_failure f
    WHERE f.application = import_job.application AND f.import_job = import_job.import_job
) AND NOT EXISTS (
    SELECT FROM import_part p
    WHERE p.application = import_job.application AND p.import_job = import_job.import_job
)"""

# What imports brought that no segment names: the import ended otherwise than well, or the segment
# was deleted.
_UNNAMED: Final = """{list}.create_time < :before AND NOT EXISTS (
    SELECT FROM segment_version v
    WHERE v.application = {list}.application AND v.import_job = {list}.import_job
        AND v.import_job <> ''
) AND NOT EXISTS (
    SELECT FROM import_job j
    WHERE j.application = {list}.application AND j.import_job = {list}.import_job
        AND j.end_time IS NULL
)"""
_OF_UNNAMED: Final = f"""ctid = ANY(ARRAY(
    SELECT m.ctid
    FROM (
        SELECT application, import_job FROM imported_list WHERE {_UNNAMED}
        ORDER BY create_time LIMIT {JOBS_MAX}
    ) AS l
    CROSS JOIN LATERAL (
        SELECT ctid FROM {{members}}
        WHERE application = l.application AND import_job = l.import_job LIMIT {ROWS_MAX}
    ) AS m
    LIMIT {ROWS_MAX}
))"""
_EMPTY_UNNAMED: Final = f"""{_UNNAMED} AND NOT EXISTS (
    SELECT FROM imported_endpoint m
    WHERE m.application = {{list}}.application AND m.import_job = {{list}}.import_job
) AND NOT EXISTS (
    SELECT FROM imported_user m
    WHERE m.application = {{list}}.application AND m.import_job = {{list}}.import_job
)"""


def purges(settings: Settings) -> list[Purge]:
    """In the order in which they must be done."""
    imports = timedelta(days=settings.import_retention_days)
    requests = timedelta(days=settings.request_id_retention_days)
    return [
        Purge("import_failure", _OF_OLD_JOBS.format(table="import_failure"), imports),
        Purge("import_part", _OF_OLD_JOBS.format(table="import_part"), imports),
        Purge("import_job", _EMPTY_OLD_JOBS, imports),
        Purge("export_job", "end_time < :before", timedelta(days=settings.export_retention_days)),
        operations.finished(imports),
        request_ids.aged(requests),
        orders.aged(),
        *map(_unnamed, ("imported_endpoint", "imported_user")),
        Purge("imported_list", _EMPTY_UNNAMED.format(list="imported_list"), timedelta(0)),
        Purge("address_opt_out", "change_time < :before AND NOT opted_out", OPT_INS_KEPT),
    ]


def _unnamed(members: str) -> Purge:
    condition = _OF_UNNAMED.format(list="imported_list", members=members)
    return Purge(members, condition, timedelta(0))
