"""Each service keeps its tables in a MetaData of its own, so that several may share a process.

`class Table(SQLModel): metadata = tables.metadata()`, and every row class derives from `Table`.
"""

from sqlalchemy import MetaData

NAMING_CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}
"""PostgreSQL's own names, so that raw SQL and SQLAlchemy agree without naming anything."""


def metadata() -> MetaData:
    """A new, empty MetaData that names constraints as PostgreSQL would."""
    return MetaData(naming_convention=NAMING_CONVENTION)
