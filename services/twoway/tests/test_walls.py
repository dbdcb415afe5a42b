"""A token for one application opens no door of another."""

from typing import Any

import pytest
from google.api import resource_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from mesh.errors import PermissionDenied
from mesh.rpc.handlers import descriptor_of
from mesh.testkit.rpc import RpcClient
from mesh.testkit.tokens import MintToken
from twoway.services import services
from twoway.wakeups import Wakeups
from twoway_room import Room

METHODS = [
    method
    for name in services(None, None, Wakeups())
    for method in descriptor_of(name).methods  # type: ignore[arg-type]
]
FOREIGN = "applications/bank"


def foreign_request(method: MethodDescriptor) -> Message:
    """A request that names another application wherever it names a resource."""
    request = message_factory.GetMessageClass(method.input_type)()
    fill(request)
    return request


def fill(message: Message, depth: int = 0) -> None:
    for field in message.DESCRIPTOR.fields:
        reference = field.GetOptions().Extensions[resource_pb2.resource_reference]
        names = reference.type or reference.child_type or field.name in ("name", "parent")
        if field.type == FieldDescriptor.TYPE_STRING and names and not field.is_repeated:
            setattr(message, field.name, f"{FOREIGN}/things/one")
        elif is_ours(field) and depth < 2:
            fill(getattr(message, field.name), depth + 1)


def is_ours(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return bool(kind and kind.full_name.startswith("heliograph.") and not field.is_repeated)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_no_method_opens_to_a_foreign_token(
    method: MethodDescriptor,
    room: Room,
    asking: Any,
    rpc_client: RpcClient,
    mint_token: MintToken,
) -> None:
    channel = await rpc_client(
        services(room.sessions, asking, room.wakeups), token=mint_token(["shop"])
    )
    path = f"/{method.containing_service.full_name}/{method.name}"
    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    response = message_factory.GetMessageClass(method.output_type)
    open_call: Any = make(
        path,
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=response.FromString,
    )

    call = open_call(foreign_request(method), timeout=10)

    with pytest.raises(PermissionDenied) as refused:
        await (anext(aiter(call)) if method.server_streaming else call)

    assert refused.value.reason == "APPLICATION_FORBIDDEN"
