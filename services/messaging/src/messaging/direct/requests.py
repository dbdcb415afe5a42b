"""Request ids of direct sends: the same id gives the first answer again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mesh.errors import InvalidArgument, Violation

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


def reused(request_id: str) -> InvalidArgument:
    """The refusal of an id that was used for another request."""
    description = f"{request_id} was used for a different request"
    return InvalidArgument(
        "REQUEST_ID_REUSED",
        f"request_id: {description}",
        violations=[Violation("request_id", description, "REQUEST_ID_REUSED")],
        request_id=request_id,
    )
