"""Import and export jobs as rows, with what they lost and what they have not read yet."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from audience.columns import Table, added, added_text, identifier, moment


class ImportJobRow(Table, table=True):
    """A file on its way in.

    `processed_bytes` is where a job goes on whose worker died: a place in the file as it is
    unpacked, and in a Parquet file a row. `stored_bytes` is then how far that is in the file as it
    is stored; 0 where both are the same. Of a folder, both are places in part `part`; what the
    parts before have is `before_bytes`, as stored, and `before_lines`. `segment` is the version of
    a segment that it made.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        # Workers ask for what is to be done and for nothing else.
        Index(
            "import_job_open_idx",
            "create_time",
            postgresql_where=text("state = ANY (ARRAY[2, 3, 7])"),
        ),
        # What is old enough to go.
        Index("import_job_end_idx", "end_time", postgresql_where=text("end_time IS NOT NULL")),
    )

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    spec: bytes = Field(sa_type=LargeBinary)
    source: str
    path: str = ""
    file_changed_seconds: float = Field(default=0.0, sa_type=Double)
    state: int = Field(sa_type=SmallInteger)
    total_bytes: int = Field(default=0, sa_type=BigInteger)
    processed_bytes: int = Field(default=0, sa_type=BigInteger)
    processed_lines: int = Field(default=0, sa_type=BigInteger)
    imported_count: int = Field(default=0, sa_type=BigInteger)
    created_count: int = Field(default=0, sa_type=BigInteger)
    failed_count: int = Field(default=0, sa_type=BigInteger)
    deactivated_count: int = Field(default=0, sa_type=BigInteger)
    attempts: int = Field(default=0, sa_type=Integer)
    error: bytes = Field(default=b"", sa_type=LargeBinary)
    operation: str
    create_time: datetime = moment()
    start_time: datetime | None = moment(nullable=True)
    end_time: datetime | None = moment(nullable=True)
    stored_bytes: int = added(BigInteger)
    format: int = added(SmallInteger)
    evidence: int = added(SmallInteger)
    compression: int = added(SmallInteger)
    segment: str = added_text()
    etag: str = Field(
        default="", sa_column=Column(String, nullable=False, server_default=text("''"))
    )

    part: int = added(Integer)
    part_count: int = added(Integer)
    before_lines: int = added(BigInteger)
    before_bytes: int = added(BigInteger)


class ImportPartRow(Table, table=True):
    """One file or object of a folder that is imported. `name` is what a caller knows it by.

    `before_lines` is absent until it is begun.
    """

    __tablename__ = "import_part"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    part: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    path: str
    size_bytes: int = Field(sa_type=BigInteger)
    etag: str
    before_lines: int | None = Field(default=None, sa_type=BigInteger)
    name: str = Field(
        default="", sa_column=Column(String, nullable=False, server_default=text("''"))
    )
    changed_seconds: float = added(Double)


class ImportFailureRow(Table, table=True):
    """One row of a file that was refused."""

    __tablename__ = "import_failure"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    line: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    field: str
    reason: str
    description: str


class ImportBlockRow(Table, table=True):
    """Bytes of an upload from `position` on; kept until the job has ended."""

    __tablename__ = "import_block"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    data: bytes = Field(sa_type=LargeBinary)


class ExportJobRow(Table, table=True):
    """A part of the audience on its way out.

    `last` is the endpoint after which a job goes on whose worker died: the last one of its last
    complete file. `segment` is a version, so that a change of the segment changes no export.
    """

    __tablename__ = "export_job"
    __table_args__ = (
        Index(
            "export_job_open_idx",
            "create_time",
            postgresql_where=text("state = ANY (ARRAY[1, 2, 6])"),
        ),
        Index("export_job_end_idx", "end_time", postgresql_where=text("end_time IS NOT NULL")),
    )

    application: str = identifier(primary_key=True)
    export_job: str = identifier(primary_key=True)
    spec: bytes = Field(sa_type=LargeBinary)
    segment: str
    target: str
    path: str
    state: int = Field(sa_type=SmallInteger)
    total_count: int = Field(default=0, sa_type=BigInteger)
    exported_count: int = Field(default=0, sa_type=BigInteger)
    last: str = Field(default="", sa_column=Column(String(collation="C"), nullable=False))
    files: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    attempts: int = Field(default=0, sa_type=Integer)
    error: bytes = Field(default=b"", sa_type=LargeBinary)
    operation: str
    read_time: datetime = moment()
    create_time: datetime = moment()
    start_time: datetime | None = moment(nullable=True)
    end_time: datetime | None = moment(nullable=True)
