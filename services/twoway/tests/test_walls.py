"""A token for one application opens no door of another."""

from typing import Any

from google.api import resource_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from mesh.errors import Error
from mesh.rpc.handlers import descriptor_of
from mesh.testkit.rpc import RpcClient
from mesh.testkit.tokens import MintToken
from twoway.services import services
from twoway_room import Room

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


async def refusal(channel: Any, method: MethodDescriptor) -> str:
    """The reason a foreign request is refused with; empty when it is not."""
    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    open_call = make(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    call = open_call(foreign_request(method), timeout=60)
    try:
        await (anext(aiter(call)) if method.server_streaming else call)
    except Error as error:
        return error.reason
    return ""


async def test_no_method_opens_to_a_foreign_token(
    room: Room, asking: Any, rpc_client: RpcClient, mint_token: MintToken
) -> None:
    servicers = services(
        room.sessions,
        asking,
        room.wakeups,
        messaging=room.messaging_stub,
        templates=room.template_stub,
    )
    methods = [method for name in servicers for method in descriptor_of(name).methods]

    channel = await rpc_client(servicers, token=mint_token(["shop"]))
    reasons = {method.full_name: await refusal(channel, method) for method in methods}

    assert len(reasons) > 50
    assert set(reasons.values()) == {"APPLICATION_FORBIDDEN"}, reasons
