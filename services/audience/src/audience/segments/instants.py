"""Instants in attributes as SQL of PostgreSQL, read as `heliograph.instants` reads them."""

from heliograph.instants import PATTERN


def sql(text: str) -> str:
    """SQL for the instant of the SQL expression `text`, NULL when it is none.

    The session's time zone is UTC. Digits beyond microseconds are cut, as Python does, not rounded.
    """
    return (
        f"CASE WHEN {text} ~ '{PATTERN}' AND pg_input_is_valid({text}, 'timestamptz')"
        f" THEN regexp_replace({text}, '(\\.[0-9]{{6}})[0-9]+', '\\1')::timestamptz END"
    )
