"""Users, through the front door."""

import pytest
from audience_room import SHOP, Room, name, values
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1 import endpoint_pb2
from heliograph.audience.v1 import user_service_pb2 as pb
from mesh.errors import Aborted, FailedPrecondition, NotFound

USER = f"{SHOP}/users/u1"


async def family(room: Room) -> None:
    for index in range(3):
        await room.write(f"e{index}", channel_type=3, address=f"t{index}", user={"user_id": "u1"})


async def test_a_user_exists_by_its_endpoints_alone(room: Room) -> None:
    await family(room)

    user = await room.users.GetUser(pb.GetUserRequest(name=USER))

    assert (user.name, user.endpoint_count) == (USER, 3)
    assert not user.HasField("create_time")


async def test_a_user_that_nobody_is_is_not_found(room: Room) -> None:
    with pytest.raises(NotFound) as refusal:
        await room.users.GetUser(pb.GetUserRequest(name=USER))
    with pytest.raises(NotFound):
        await room.users.UpdateUser(pb.UpdateUserRequest(user={"name": USER}))

    assert refusal.value.reason == "USER_NOT_FOUND"


async def test_a_changed_user_is_seen_at_every_endpoint(room: Room) -> None:
    await family(room)
    await room.users.UpdateUser(
        pb.UpdateUserRequest(user={"name": USER, "attributes": values(tier=["gold"], a=["b"])})
    )
    updated = await room.users.UpdateUser(
        pb.UpdateUserRequest(
            user={"name": USER, "attributes": values(tier=["silver"])},
            update_mask=FieldMask(paths=["attributes.tier", "attributes.a"]),
        )
    )

    assert list(updated.attributes) == ["tier"]
    for index in range(3):
        read = await room.read(f"e{index}")
        assert dict(read.user.attributes) == {"tier": endpoint_pb2.Values(values=["silver"])}


async def test_a_stale_etag_is_refused(room: Room) -> None:
    await family(room)
    before = await room.users.GetUser(pb.GetUserRequest(name=USER))
    change = pb.UpdateUserRequest(
        user={"name": USER, "etag": before.etag, "attributes": values(a=["b"])}
    )
    await room.users.UpdateUser(change)

    with pytest.raises(Aborted):
        await room.users.UpdateUser(change)


async def test_endpoints_of_a_user_are_listed_in_pages(room: Room) -> None:
    await family(room)
    await room.write("other", channel_type=3, address="x", user={"user_id": "u2"})
    first = await room.users.ListUserEndpoints(
        pb.ListUserEndpointsRequest(parent=USER, page_size=2)
    )
    rest = await room.users.ListUserEndpoints(
        pb.ListUserEndpointsRequest(parent=USER, page_size=2, page_token=first.next_page_token)
    )

    assert [one.name for one in (*first.endpoints, *rest.endpoints)] == [
        name(f"e{index}") for index in range(3)
    ]


async def test_users_with_attributes_are_listed(room: Room) -> None:
    for user_id in ("u2", "u1"):
        await room.users.UpdateUser(
            pb.UpdateUserRequest(
                user={"name": f"{SHOP}/users/{user_id}", "attributes": values(a=["b"])},
                allow_missing=True,
            )
        )
    await family(room)

    listed = await room.users.ListUsers(pb.ListUsersRequest(parent=SHOP))

    assert [(one.name, one.endpoint_count) for one in listed.users] == [
        (USER, 3),
        (f"{SHOP}/users/u2", 0),
    ]


async def test_an_endpoint_is_given_to_a_user_and_taken_away(room: Room) -> None:
    await family(room)
    given = await room.users.LinkEndpoint(
        pb.LinkEndpointRequest(name=f"{SHOP}/users/u2", endpoint=name("e0"))
    )
    with pytest.raises(FailedPrecondition) as refusal:
        await room.users.UnlinkEndpoint(pb.UnlinkEndpointRequest(name=USER, endpoint=name("e0")))
    taken = await room.users.UnlinkEndpoint(
        pb.UnlinkEndpointRequest(name=f"{SHOP}/users/u2", endpoint=name("e0"))
    )

    assert given.user.user_id == "u2"
    assert not taken.user.user_id
    assert refusal.value.reason == "ENDPOINT_NOT_LINKED"


async def test_linking_leaves_an_endpoint_as_active_as_it_was(room: Room) -> None:
    await room.write("old", channel_type=3, address="t")
    await room.write("new", channel_type=3, address="t")

    linked = await room.users.LinkEndpoint(pb.LinkEndpointRequest(name=USER, endpoint=name("old")))

    assert linked.status == endpoint_pb2.Endpoint.INACTIVE
    assert (await room.read("new")).status == endpoint_pb2.Endpoint.ACTIVE
