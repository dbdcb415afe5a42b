"""A channel's configuration: which provider fits, what must be said, and where its secrets are.

Pure. What is a secret says the contract: the INPUT_ONLY fields.
"""

from collections.abc import Container, Iterator, Mapping
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.message import Message
from heliograph.addresses import APNS_CHANNELS
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.channel_pb2 import Channel
from mesh.errors import FailedPrecondition, InvalidArgument, Violation
from mesh.errors.refusals import unsupported

from messaging.channels.smpp.configuration import PORT_DEFAULT as SMPP_PORT_DEFAULT

PROVIDERS: dict[str, frozenset[ChannelType.ValueType]] = {
    "smpp": frozenset({ChannelType.SMS}),
    "smtp": frozenset({ChannelType.EMAIL}),
    "fcm": frozenset({ChannelType.PUSH_FCM}),
    "apns": APNS_CHANNELS,
    "adm": frozenset({ChannelType.PUSH_ADM}),
    "baidu": frozenset({ChannelType.PUSH_BAIDU}),
    "web_push": frozenset({ChannelType.PUSH_WEB}),
    "sip": frozenset({ChannelType.VOICE}),
    "webhook": frozenset({ChannelType.CUSTOM}),
    "in_app": frozenset({ChannelType.IN_APP}),
}

REQUIRED: dict[str, tuple[str, ...]] = {
    "smpp": ("host", "system_id"),
    "smtp": ("host",),
    "fcm": (),
}
"""Fields of each supported provider that must be set."""


def check(channel: Channel, drivers: Container[str]) -> None:
    """Refuses a channel that cannot work, naming the field."""
    provider = provider_of(channel)
    if channel.channel_type not in PROVIDERS[provider]:
        word = ChannelType.Name(channel.channel_type)
        raise InvalidArgument(
            "PROVIDER_MISMATCH",
            f"{provider} does not reach {word}",
            violations=[Violation(f"channel.{provider}", f"does not reach {word}")],
            provider=provider,
            channel_type=word,
        )
    if provider not in drivers:
        raise unsupported(f"channel.{provider}")
    for field in REQUIRED.get(provider, ()):
        if not getattr(getattr(channel, provider), field):
            raise missing(f"channel.{provider}.{field}")


def provider_of(channel: Channel) -> str:
    """The provider's field. Raises InvalidArgument when none is set."""
    provider = channel.WhichOneof("provider")
    if provider is None:
        raise missing("channel.provider")
    return str(provider)


def missing(field: str) -> InvalidArgument:
    """The refusal of a channel that lacks a field."""
    return InvalidArgument(
        "REQUEST_INVALID",
        f"{field}: the field is required",
        violations=[Violation(field, "the field is required", "REQUIRED")],
        field=field,
    )


def account(channel: Channel) -> str | None:
    """The account that receipts and texts come to, spelled in one way; None where nothing does."""
    if channel.WhichOneof("provider") != "smpp":
        return None
    smpp = channel.smpp
    host = smpp.host.lower().removesuffix(".")
    return f"smpp {host} {smpp.port or SMPP_PORT_DEFAULT} {smpp.system_id}"


def account_in_use(channel: Channel) -> FailedPrecondition:
    """The refusal of an account that another channel has; whose it is, is not for this caller."""
    smpp = channel.smpp
    port = str(smpp.port or SMPP_PORT_DEFAULT)
    description = f"{smpp.system_id} at {smpp.host}:{port} is used by another channel"
    return FailedPrecondition(
        "PROVIDER_ACCOUNT_IN_USE",
        f"channel.smpp.system_id: {description}, which gets its receipts and texts; "
        "ask the provider for another account, or delete that channel first",
        violations=[Violation("channel.smpp.system_id", description, "PROVIDER_ACCOUNT_IN_USE")],
        system_id=smpp.system_id,
        host=smpp.host,
        port=port,
    )


def take_secrets(channel: Channel) -> dict[str, str]:
    """Removes the secrets from the channel; they are returned by their paths."""
    secrets: dict[str, str] = {}
    for holder, field, path in list(_secret_fields(channel)):
        value = getattr(holder, field)
        if value:
            secrets[path] = value
            holder.ClearField(field)
    return secrets


def put_secrets(channel: Channel, secrets: Mapping[str, str]) -> None:
    """Puts secrets back where they belong."""
    for holder, field, path in list(_secret_fields(channel)):
        if path in secrets:
            setattr(holder, field, secrets[path])


def secret_paths(channel: Channel) -> set[str]:
    """The paths that can hold secrets with the channel's provider."""
    return {path for _, _, path in _secret_fields(channel)}


def _secret_fields(message: Message, prefix: str = "") -> Iterator[tuple[Any, str, str]]:
    for field in message.DESCRIPTOR.fields:
        path = f"{prefix}{field.name}"
        behaviours = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        if field_behavior_pb2.INPUT_ONLY in behaviours:
            yield message, field.name, path
        elif field.message_type is None or field.is_repeated:
            continue
        elif message.HasField(field.name):
            yield from _secret_fields(getattr(message, field.name), f"{path}.")
