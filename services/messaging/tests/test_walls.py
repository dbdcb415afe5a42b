"""Tenants are walls: a foreign token reaches nothing of an application."""

import pytest
from google.protobuf import message_factory
from heliograph.messaging.v1 import (
    channel_service_pb2,
    message_service_pb2,
    suppression_service_pb2,
    template_service_pb2,
)
from mesh.errors import PermissionDenied
from messaging_samples import PARENT, number, send_request, to

SERVICES = [
    file.DESCRIPTOR.services_by_name[name]
    for file, name in (
        (message_service_pb2, "MessageService"),
        (channel_service_pb2, "ChannelService"),
        (template_service_pb2, "TemplateService"),
        (suppression_service_pb2, "SuppressionService"),
    )
]
METHODS = [method for service in SERVICES for method in service.methods]


def named(method):
    """A request that names things of the application `shop`."""
    request = message_factory.GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if field.name == "parent":
            request.parent = PARENT
        elif field.name == "name":
            request.name = f"{PARENT}/things/one"
        elif field.name in ("channel", "template"):
            getattr(request, field.name).name = f"{PARENT}/things/one"
    return request


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_no_method_answers_a_foreign_token(room, mint_token, method):
    foreign = room.connect(room.address, token=mint_token(["other"], roles=["admin"]))
    path = f"/{method.containing_service.full_name}/{method.name}"
    request = named(method)

    with pytest.raises(PermissionDenied):
        await call(foreign, path, method, request)


async def call(channel, path, method, request):
    def serialize(message):
        return message.SerializeToString()

    answer = message_factory.GetMessageClass(method.output_type).FromString
    if method.client_streaming:

        async def requests():
            yield request

        calling = channel.stream_stream(path, serialize, answer)(requests())
        return [one async for one in calling]
    if method.server_streaming:
        return [one async for one in channel.unary_stream(path, serialize, answer)(request)]
    return await channel.unary_unary(path, serialize, answer)(request)


async def test_messages_of_two_applications_do_not_meet(room):
    await room.messages.SendMessages(send_request(to(number(1))))
    await room.settled(1)

    other = await room.messages.ListMessages(
        message_service_pb2.ListMessagesRequest(parent="applications/other")
    )

    assert not other.messages
