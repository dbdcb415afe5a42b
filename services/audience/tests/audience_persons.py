"""Persons who are erased, as tests of several kinds need them."""

from typing import Any

from audience_room import SHOP, Room, values
from google.longrunning import operations_pb2
from heliograph.audience.v1 import user_service_pb2 as pb
from sqlalchemy import text

PHONE = {"channel_type": "SMS", "address": "+14155550123"}
ANN = {"user_id": "ann", "attributes": values(tier=["gold"])}
TABLES = ("endpoint", "user_profile", "import_failure", "request_ids", "erased_person", "outbox")


async def delete(room: Room, user: str = "ann", **fields: Any) -> operations_pb2.Operation:
    """Erase a person of `shop`."""
    return await room.users.DeleteUser(pb.DeleteUserRequest(name=f"{SHOP}/users/{user}", **fields))


async def left(room: Room, *words: str) -> list[str]:
    """Tables that hold any of the words anywhere."""
    found = []
    async with room.sessions() as session:
        connection = await session.connection()
        for table in TABLES:
            rows = await connection.execute(text(f"SELECT t.*::text FROM {table} t"))
            whole = "".join(row[0] for row in rows)
            if any(word in whole or word.encode().hex() in whole for word in words):
                found.append(table)
    return found
