"""Request ids of direct sends: the same id gives the first answer again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_READ = """
SELECT s.* FROM unnest($1::text[], $2::text[]) AS r (application, request_id)
CROSS JOIN LATERAL (
    SELECT application, request_id, checksum, response, batch_id FROM send_requests
    WHERE application = r.application AND request_id = r.request_id
    OFFSET 0
) AS s
"""

Key = tuple[str, str]
"""Application and request id."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with what is answered to it, and the batches that carry it."""

    key: Key
    checksum: bytes
    response: bytes
    batch_ids: str


async def read(connection: Any, keys: Sequence[Key]) -> dict[Key, Answered]:
    """The stored answers of requests."""
    records = await connection.fetch(_READ, [key[0] for key in keys], [key[1] for key in keys])
    return {
        (record[0], record[1]): Answered((record[0], record[1]), record[2], record[3], record[4])
        for record in records
    }
