"""A send request, judged: what is refused at once, and what will be accepted."""

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.endpoint_service_pb2 import BatchGetEndpointsRequest
from heliograph.messaging.v1.message_service_pb2 import SendMessagesRequest
from heliograph.obstacles import ANSWERS
from mesh.errors import Error, PermissionDenied, Unavailable
from mesh.errors.refusals import invalid
from mesh.rpc.auth import caller

from messaging import contents, names
from messaging.direct import recipients
from messaging.direct.packing import Request
from messaging.direct.persons import Persons
from messaging.direct.sends import Call, checksum
from messaging.stored_templates import StoredTemplates

if TYPE_CHECKING:
    from heliograph.audience.v1.endpoint_service_pb2_grpc import EndpointServiceAsyncStub

LOOKUP_TIMEOUT_SECONDS = 5.0


class Calls:
    """Judges requests; asks audience for endpoints once a request."""

    def __init__(self, endpoints: "EndpointServiceAsyncStub", templates: StoredTemplates) -> None:
        self._endpoints = endpoints
        self._templates = templates
        self._persons = Persons(endpoints)

    async def judge(self, request: SendMessagesRequest, now: datetime) -> Call:
        """Raises what refuses the whole request; a refused recipient is part of the call."""
        application = names.application_of(request.parent)
        _check_purpose(request)
        _check_expiry(request, now)
        content = request.content
        if content.templates:
            content = await self._templates.complete_or_refuse(application, content)
        compiled = contents.check(content)
        contents.check_pools(application, content)
        known = await self._known(request)
        persons = await self._persons.find(request, content)
        judged = recipients.judge(request.recipients, known, compiled.parts, persons)
        return Call(
            request=Request(
                application=application,
                key=request.request_id or uuid.uuid4().hex,
                content=request.content,
                purpose=request.purpose,
                recipients=judged.accepted,
                expire_time=request.expire_time if request.HasField("expire_time") else None,
            ),
            refused=judged.refused,
            request_id=request.request_id,
            checksum=checksum(request) if request.request_id else b"",
        )

    async def _known(self, request: SendMessagesRequest) -> dict[str, Endpoint]:
        wanted = recipients.endpoint_names(request.recipients)
        if not wanted:
            return {}
        try:
            answer = await self._endpoints.BatchGetEndpoints(
                BatchGetEndpointsRequest(parent=request.parent, names=wanted),
                timeout=LOOKUP_TIMEOUT_SECONDS,
            )
        except Error as error:
            raise Unavailable(
                "AUDIENCE_UNAVAILABLE", "endpoints cannot be looked up now", retry_after_seconds=1.0
            ) from error
        return {endpoint.name: endpoint for endpoint in answer.endpoints}


def _check_purpose(request: SendMessagesRequest) -> None:
    """Only services may send what passes by consent."""
    if request.purpose in ANSWERS and "service" not in caller().roles:
        raise PermissionDenied(
            "PURPOSE_RESERVED",
            "only services confirm opt-outs and answer HELP",
            subject=caller().subject,
        )


def _check_expiry(request: SendMessagesRequest, now: datetime) -> None:
    if request.HasField("expire_time") and request.expire_time.ToDatetime(UTC) <= now:
        raise invalid("EXPIRE_TIME_PAST", "expire_time", "the time is over")
