"""The recipients of a direct send: who is refused, and what the others are in a batch. Pure."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.message_service_pb2 import Recipient
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.errors import Error, InvalidArgument, NotFound
from mesh.telemetry import masking

from messaging import addresses

Addressed = tuple[int, str]
"""A kind of address, and the address."""


@dataclass(slots=True)
class Judged:
    """`accepted` and `refused` by position in the request."""

    accepted: dict[int, SendBatch.Recipient] = field(default_factory=dict)
    refused: dict[int, Error] = field(default_factory=dict)


def endpoint_names(recipients: Iterable[Recipient]) -> list[str]:
    """The endpoints that have to be looked up, each once."""
    return list(dict.fromkeys(recipient.endpoint for recipient in recipients if recipient.endpoint))


def judge(
    recipients: Sequence[Recipient],
    endpoints: Mapping[str, Endpoint],
    said: Container[ChannelType.ValueType],
    persons: Mapping[Addressed, Endpoint] = MappingProxyType({}),
) -> Judged:
    """Accepts or refuses each recipient. `endpoints` are those that exist, `said` the channels
    there is content for, `persons` those whose addresses are meant personally."""
    judged = Judged()
    for index, recipient in enumerate(recipients):
        try:
            judged.accepted[index] = _accept(recipient, endpoints, said, persons)
        except Error as error:
            judged.refused[index] = error
    return judged


def _accept(
    recipient: Recipient,
    endpoints: Mapping[str, Endpoint],
    said: Container[ChannelType.ValueType],
    persons: Mapping[Addressed, Endpoint],
) -> SendBatch.Recipient:
    endpoint = _endpoint(recipient, endpoints, persons)
    if endpoint.channel_type not in said:
        word = ChannelType.Name(endpoint.channel_type)
        raise InvalidArgument(
            "CONTENT_MISSING", f"there is nothing to say by {word}", channel_type=word
        )
    accepted = SendBatch.Recipient(endpoint=endpoint)
    if recipient.substitutions:
        accepted.substitutions.update(recipient.substitutions)
    if recipient.context:
        accepted.context.update(recipient.context)
    return accepted


def _endpoint(
    recipient: Recipient,
    endpoints: Mapping[str, Endpoint],
    persons: Mapping[Addressed, Endpoint],
) -> Endpoint:
    if recipient.WhichOneof("target") == "address":
        bare = _bare(recipient.address)
        known = persons.get((bare.channel_type, bare.address))
        return bare if known is None else _spoken_to(known)
    known = endpoints.get(recipient.endpoint)
    if known is None:
        raise NotFound(
            "ENDPOINT_NOT_FOUND",
            f"{recipient.endpoint} does not exist",
            endpoint=recipient.endpoint,
        )
    return known


def _bare(given: Recipient.Address) -> Endpoint:
    address = addresses.normalize(given.channel_type, given.address)
    if address is None:
        word, masked = ChannelType.Name(given.channel_type), masking.address(given.address)
        raise InvalidArgument(
            "ADDRESS_INVALID",
            f"{masked} is not an address for {word}",
            address=masked,
            channel_type=word,
        )
    return Endpoint(channel_type=given.channel_type, address=address)


def personal(recipients: Iterable[Recipient]) -> dict[int, list[str]]:
    """The addresses whose endpoints are asked for, each once, by channel type."""
    wanted: dict[int, dict[str, None]] = {}
    for recipient in recipients:
        given = recipient.address
        if given.personal:
            address = addresses.normalize(given.channel_type, given.address)
            if address is not None:
                wanted.setdefault(given.channel_type, {})[address] = None
    return {channel_type: list(found) for channel_type, found in wanted.items()}


def _spoken_to(known: Endpoint) -> Endpoint:
    """What texts say of a person, without what sending decides by."""
    spoken = Endpoint(
        channel_type=known.channel_type,
        address=known.address,
        attributes=known.attributes,
        metrics=known.metrics,
    )
    for part in ("demographic", "location", "user"):
        if known.HasField(part):  # type: ignore[arg-type]  # names of fields
            getattr(spoken, part).CopyFrom(getattr(known, part))
    return spoken
