"""Whose addresses they are: asked of audience in one call for each kind of address."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.endpoint_service_pb2 import FindEndpointsRequest
from heliograph.messaging.v1.content_pb2 import MessageContent
from heliograph.messaging.v1.message_service_pb2 import SendMessagesRequest
from heliograph.obstacles import ANSWERS
from mesh.errors import Error, Unavailable
from mesh.telemetry import logging

from messaging.direct import recipients
from messaging.direct.recipients import Addressed

if TYPE_CHECKING:
    from heliograph.audience.v1.endpoint_service_pb2_grpc import EndpointServiceAsyncStub

_log = logging.get(__name__)

TIMEOUT_SECONDS = 2.0


class Persons:
    """Finds the endpoints of addresses that are written to personally."""

    def __init__(self, endpoints: "EndpointServiceAsyncStub") -> None:
        self._endpoints = endpoints

    async def find(
        self, request: SendMessagesRequest, content: MessageContent
    ) -> dict[Addressed, Endpoint]:
        """The endpoints that there are; `content` has its templates in it.

        Without an answer of audience raises Unavailable, but for what must be answered at once and
        what speaks of nobody: a text in the wrong language is better than none.
        """
        wanted = recipients.personal(request.recipients)
        try:
            found = await asyncio.gather(
                *(self._find(request.parent, kind, held) for kind, held in wanted.items())
            )
        except Error as error:
            if request.purpose in ANSWERS or not _speaks_of_people(content):
                _log.warning("persons.not_found", error=str(error))
                return {}
            raise Unavailable(
                "AUDIENCE_UNAVAILABLE", "endpoints cannot be looked up now", retry_after_seconds=1.0
            ) from error
        return {(one.channel_type, one.address): one for ones in found for one in ones}

    async def _find(self, parent: str, kind: int, addresses: Sequence[str]) -> Sequence[Endpoint]:
        answer = await self._endpoints.FindEndpoints(
            FindEndpointsRequest(
                parent=parent, channel_type=ChannelType.ValueType(kind), addresses=addresses
            ),
            timeout=TIMEOUT_SECONDS,
        )
        return answer.endpoints


def _speaks_of_people(content: MessageContent) -> bool:
    """Whether it has variables, and not only languages."""
    if not content.HasField("sms"):
        return True
    texts = (content.sms.body, *content.sms.localized_bodies.values())
    return any("{{" in text for text in texts)
