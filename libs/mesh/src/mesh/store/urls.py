"""Database URLs are plain `postgresql://…`; each driver gets the dialect it wants."""

from sqlalchemy.engine import URL, make_url


def for_sqlalchemy(database_url: str) -> URL:
    """The URL for SQLAlchemy's asyncpg dialect; `?host=/socket/dir&port=5432` is kept."""
    return make_url(database_url).set(drivername="postgresql+asyncpg")


def with_database(database_url: str, database: str) -> str:
    """The same server and user, another database."""
    return make_url(database_url).set(database=database).render_as_string(hide_password=False)
