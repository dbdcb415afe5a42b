"""What a database still has of an application, in whatever table: nobody has to list them."""

from mesh.store.tombstones import Sessions
from sqlalchemy import text

_TABLES = text(
    "SELECT table_name FROM information_schema.columns"
    " WHERE column_name = 'application' AND table_schema = 'public' ORDER BY table_name"
)


async def rows_left(sessions: Sessions, application: str) -> dict[str, int]:
    """Rows of the application by table; tables without any are left out."""
    left = {}
    async with sessions() as session:
        connection = await session.connection()
        for (table,) in (await connection.execute(_TABLES)).all():
            counting = text(f"SELECT count(*) FROM {table} WHERE application = :application")
            count = (await connection.execute(counting, {"application": application})).scalar_one()
            if count:
                left[table] = count
    return left
