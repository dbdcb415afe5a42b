"""Ten endpoints, and questions about them."""

from audience_room import Room, values
from heliograph.audience.v1 import endpoint_pb2

Endpoint = endpoint_pb2.Endpoint

GOLD = {"attribute": {"name": "plan", "operator": "INCLUSIVE", "values": ["gold"]}}

EVERYBODY = {"group": {"operator": "ALL"}}


async def audience(room: Room) -> None:
    """Ten endpoints: even ones are gold, the first two cannot be reached, three mailboxes."""
    for index in range(10):
        is_mail = index >= 7
        await room.write(
            f"e{index}",
            channel_type=2 if is_mail else 3,
            address=f"a{index}@b.io" if is_mail else f"t{index}",
            attributes=values(plan=["gold" if index % 2 == 0 else "free"]),
            opt_out=Endpoint.ALL if index == 0 else Endpoint.NONE,
            status=Endpoint.INACTIVE if index == 2 else Endpoint.ACTIVE,
        )
