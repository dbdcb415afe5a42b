"""What imports brought, as rows: the members of segments that are lists.

A list is known by the import that brought it, and is a segment's from the moment that a version of
the segment names the import.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from audience.columns import Table, identifier, moment


class ImportedListRow(Table, table=True):
    """How many members an import has brought so far; `counts_by_channel` is by channel type."""

    __tablename__ = "imported_list"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    endpoint_count: int = Field(default=0, sa_type=BigInteger)
    user_count: int = Field(default=0, sa_type=BigInteger)
    counts_by_channel: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    create_time: datetime = moment()


class ImportedEndpointRow(Table, table=True):
    """An endpoint in a list. It may be deleted by now, and is no member then."""

    __tablename__ = "imported_endpoint"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    endpoint: str = identifier(primary_key=True)


class ImportedUserRow(Table, table=True):
    """A user in a list, who stands for all endpoints there are when the list is asked."""

    __tablename__ = "imported_user"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    user_id: str = identifier(primary_key=True)
