"""What audience knows of recipients: endpoints by name, and whose an address is.

It is asked once for all requests that are judged together; without an answer only those are refused
that cannot do without.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.endpoint_service_pb2 import (
    BatchGetEndpointsRequest,
    FindEndpointsRequest,
)
from heliograph.messaging.v1.content_pb2 import MessageContent
from heliograph.messaging.v1.message_service_pb2 import Recipient, SendMessagesRequest
from heliograph.obstacles import ANSWERS
from mesh.errors import Error, Unavailable
from mesh.telemetry import logging

from messaging.direct import recipients
from messaging.direct.recipients import Addressed

if TYPE_CHECKING:
    from heliograph.audience.v1.endpoint_service_pb2_grpc import EndpointServiceAsyncStub

NAMES_TIMEOUT_SECONDS = 5.0
PERSONS_TIMEOUT_SECONDS = 2.0
ASKED_MAX = 1_000
"""Names or addresses in one call; audience takes no more."""

_log = logging.get(__name__)


class Lookups:
    """Asks audience, and keeps its refusals for those whom they concern."""

    def __init__(self, endpoints: "EndpointServiceAsyncStub") -> None:
        self._endpoints = endpoints

    async def named(
        self, parent: str, written_to: Iterable[Recipient]
    ) -> Mapping[str, Endpoint] | Unavailable:
        """The endpoints that recipients name, by name, as far as they exist."""
        parts = _parts(recipients.endpoint_names(written_to))
        try:
            found = await asyncio.gather(*(self._get(parent, names) for names in parts))
        except Error as error:
            return _unavailable(error)
        return {one.name: one for ones in found for one in ones}

    async def persons(
        self, parent: str, written_to: Iterable[Recipient]
    ) -> Mapping[Addressed, Endpoint] | Unavailable:
        """The endpoints that recipients mean by their addresses, as far as there are any."""
        wanted = recipients.personal(written_to)
        parts = [(kind, part) for kind, addresses in wanted.items() for part in _parts(addresses)]
        try:
            found = await asyncio.gather(*(self._find(parent, *part) for part in parts))
        except Error as error:
            return _unavailable(error)
        return {(one.channel_type, one.address): one for ones in found for one in ones}

    async def _get(self, parent: str, names: Sequence[str]) -> Sequence[Endpoint]:
        request = BatchGetEndpointsRequest(parent=parent, names=names)
        answer = await self._endpoints.BatchGetEndpoints(request, timeout=NAMES_TIMEOUT_SECONDS)
        return answer.endpoints

    async def _find(self, parent: str, kind: int, addresses: Sequence[str]) -> Sequence[Endpoint]:
        request = FindEndpointsRequest(
            parent=parent, channel_type=ChannelType.ValueType(kind), addresses=addresses
        )
        answer = await self._endpoints.FindEndpoints(request, timeout=PERSONS_TIMEOUT_SECONDS)
        return answer.endpoints


def needs_persons(request: SendMessagesRequest, content: MessageContent) -> bool:
    """Whether nothing of it is sent while nobody can say whose its addresses are.

    What must be answered at once, or speaks of nobody, is: a text in the wrong language is better
    than none. `content` is the request's, with its templates in it.
    """
    if request.purpose in ANSWERS or not _speaks_of_people(content):
        return False
    return bool(recipients.personal(request.recipients))


def _speaks_of_people(content: MessageContent) -> bool:
    """Whether it has variables, and not only languages."""
    if not content.HasField("sms"):
        return True
    texts = (content.sms.body, *content.sms.localized_bodies.values())
    return any("{{" in text for text in texts)


def _parts(asked: Sequence[str]) -> list[Sequence[str]]:
    return [asked[start : start + ASKED_MAX] for start in range(0, len(asked), ASKED_MAX)]


def _unavailable(error: Error) -> Unavailable:
    _log.warning("endpoints.not_found", error=str(error))
    return Unavailable(
        "AUDIENCE_UNAVAILABLE", "endpoints cannot be looked up now", retry_after_seconds=1.0
    )
