"""Tenants are walls: a token of another application opens no method of any service."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from audience.eligibility.neighbours import Neighbours
from audience.services import services
from audience.settings import Settings
from audience_room import NOBODY, SHOP, Room
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from heliograph.audience.v1 import (
    application_service_pb2,
    endpoint_service_pb2,
    segment_service_pb2,
    transfer_service_pb2,
    user_service_pb2,
)
from mesh.errors import Error
from mesh.testkit.rpc import RpcConnect
from mesh.testkit.tokens import MintToken

MODULES = (
    application_service_pb2,
    endpoint_service_pb2,
    user_service_pb2,
    segment_service_pb2,
    transfer_service_pb2,
    operations_pb2,
)
# A list of what one may touch, and creating what is not there yet.
OPEN = {"ListApplications", "CreateApplication"}

METHODS = [
    method
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if method.name not in OPEN
]


def foreign(method: MethodDescriptor) -> Any:
    """A request of the method that names the application `shop` wherever it can."""
    request = message_factory.GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if (
            field.name in ("name", "parent", "endpoint")
            and field.type == FieldDescriptor.TYPE_STRING
        ):
            setattr(request, field.name, f"{SHOP}/things/t" if field.name == "name" else SHOP)
        elif field.name in ("application", "endpoint", "user", "segment") and field.message_type:
            getattr(request, field.name).name = f"{SHOP}/things/t"
    return request


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_a_foreign_token_opens_nothing(
    method: MethodDescriptor, room: Room, rpc_connect: RpcConnect, mint_token: MintToken
) -> None:
    channel = rpc_connect(room.address, token=mint_token(["other"], roles=["admin"]))

    with pytest.raises(Error) as refusal:
        await answered(channel, method, foreign(method))

    assert refusal.value.code == "PERMISSION_DENIED"


async def test_a_reader_writes_nothing(room: Room, mint_token: MintToken) -> None:
    room.use(mint_token(["shop"], roles=["reader"]))

    with pytest.raises(Error) as refusal:
        await room.write("e1", channel_type=3, address="t")
    assert refusal.value.code == "PERMISSION_DENIED"


async def answered(channel: grpc.aio.Channel, method: MethodDescriptor, request: Any) -> None:
    """Call a method and read its whole answer."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
    }
    call = kinds[(method.client_streaming, method.server_streaming)](
        path,
        request_serializer=type(request).SerializeToString,
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )

    async def requests() -> AsyncIterator[Any]:
        yield request

    answer = call(requests() if method.client_streaming else request)
    if method.server_streaming:
        async for _ in answer:
            pass
    else:
        await answer


def test_every_service_of_the_contract_is_served(
    sessions: Any, reading: Any, room: Room, rpc_connect: RpcConnect
) -> None:
    away = rpc_connect(NOBODY)
    neighbours = Neighbours.of(away, away, away)
    served = services(Settings(), sessions, reading, away, neighbours, room.now)

    assert set(served) == {
        service.full_name
        for module in MODULES
        for service in module.DESCRIPTOR.services_by_name.values()
    }
    assert all(descriptor_pool.Default().FindServiceByName(one) for one in served)
