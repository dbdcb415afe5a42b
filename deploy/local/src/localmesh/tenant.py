"""An application connected to the peers of a mesh on this machine, as an operator would do it."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.client import Client
from heliograph.errors import HeliographError
from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.channel_service_pb2 import CreateChannelRequest, UpdateChannelRequest
from heliograph.twoway.v1.phone_number_pb2 import PhoneNumber
from heliograph.twoway.v1.phone_number_service_pb2 import CreatePhoneNumberRequest

from localmesh.peers.remote import RemotePeer

Providers = Mapping[str, Mapping[str, Any]]


async def connect(mesh: Client, parent: str, providers: Providers, number: str) -> list[str]:
    """Create a channel for each peer and register `number`; the names of what is there after.

    A channel that is there already is told where its peer answers now; the rest of it is left.
    """
    for provider, channel_id, fields in _channels(number):
        reached = dict(providers[provider])
        if provider == "smpp":
            # What people answer to a number reaches the account of that name, and no other tenant.
            reached["system_id"] = number.lstrip("+")
        settings = {**fields, "enabled": True, provider: reached}
        channel = json_format.ParseDict(settings, Channel())
        await _create_or_redirect(mesh, parent, channel_id, channel, provider)
    registered = PhoneNumber(type=PhoneNumber.TEN_DLC, country_code="US", two_way_enabled=True)
    await _register(mesh, parent, number, registered)
    channels = [f"{parent}/channels/{channel_id}" for _, channel_id, _ in _channels(number)]
    return [*channels, f"{parent}/phoneNumbers/{number}"]


async def add_numbers(
    mesh: Client, parent: str, carrier: RemotePeer, first: str, others: Sequence[str]
) -> list[str]:
    """Register more numbers of an application that was connected with the `first`, whose account
    at the carrier has them then; their names."""
    for number in others:
        await _register(mesh, parent, number, PhoneNumber(two_way_enabled=True))
    known = (await carrier.call("GET", "/behaviour"))["numbers"]
    await carrier.behave(numbers={**known, **dict.fromkeys(others, first.lstrip("+"))})
    return [f"{parent}/phoneNumbers/{number}" for number in others]


async def _register(mesh: Client, parent: str, number: str, registered: PhoneNumber) -> None:
    request = CreatePhoneNumberRequest(
        parent=parent, phone_number_id=number, phone_number=registered
    )
    await _unless_there(mesh.phone_numbers.CreatePhoneNumber(request))


def _channels(number: str) -> tuple[tuple[str, str, dict[str, str]], ...]:
    """Provider, channel id and settings of each channel."""
    sender = "Sample Shop <shop@shop.example.com>"
    return (
        ("smpp", "sms", {"channel_type": "SMS", "default_origination_identity": number}),
        ("smtp", "email", {"channel_type": "EMAIL", "default_origination_identity": sender}),
        ("fcm", "push-fcm", {"channel_type": "PUSH_FCM"}),
    )


async def _create_or_redirect(
    mesh: Client, parent: str, channel_id: str, channel: Channel, provider: str
) -> None:
    try:
        await mesh.channels.CreateChannel(
            CreateChannelRequest(parent=parent, channel_id=channel_id, channel=channel)
        )
    except HeliographError as error:
        if error.code != "ALREADY_EXISTS":
            raise
        channel.name = f"{parent}/channels/{channel_id}"
        mask = FieldMask(paths=[provider])
        await mesh.channels.UpdateChannel(UpdateChannelRequest(channel=channel, update_mask=mask))


async def _unless_there(call: Any) -> None:
    try:
        await call
    except HeliographError as error:
        if error.code != "ALREADY_EXISTS":
            raise
