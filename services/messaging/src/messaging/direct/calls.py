"""Send requests, judged: what is refused at once, and what will be accepted."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.content_pb2 import MessageContent
from heliograph.messaging.v1.message_service_pb2 import SendMessagesRequest
from heliograph.obstacles import ANSWERS
from mesh.errors import Error, PermissionDenied, Unavailable
from mesh.errors.refusals import invalid
from mesh.rpc import validation
from mesh.rpc.auth import caller

from messaging import contents, names
from messaging.direct import lookups, recipients
from messaging.direct.lookups import Lookups
from messaging.direct.packing import Request
from messaging.direct.recipients import Addressed
from messaging.direct.sends import Call, checksum
from messaging.stored_templates import StoredTemplates

if TYPE_CHECKING:
    from heliograph.audience.v1.endpoint_service_pb2_grpc import EndpointServiceAsyncStub

_check_rules = validation.request_check(SendMessagesRequest)


@dataclass(frozen=True, slots=True)
class _Said:
    """A request that says something which can be sent."""

    request: SendMessagesRequest
    content: MessageContent
    """With its templates in it."""
    parts: Mapping[ChannelType.ValueType, object]


class Calls:
    """Judges requests; asks audience once for all that are judged together."""

    def __init__(self, endpoints: "EndpointServiceAsyncStub", templates: StoredTemplates) -> None:
        self._templates = templates
        self._lookups = Lookups(endpoints)

    async def judge(self, request: SendMessagesRequest, now: datetime) -> Call:
        """Raises what refuses the whole request; a refused recipient is part of the call."""
        said = await self._said(names.application_of(request.parent), request, now)
        [judged] = await self._judge(request.parent, [said])
        if isinstance(judged, Error):
            raise judged
        return judged

    async def judge_all(
        self, parent: str, requests: Sequence[SendMessagesRequest], now: datetime
    ) -> list[Call | Error]:
        """Each request's call, or why all of that request is refused."""
        application = names.application_of(parent)
        told: list[_Said | Error] = []
        for request in requests:
            try:
                _check_item(parent, request)
                told.append(await self._said(application, request, now))
            except Error as error:
                told.append(error)
        judged = iter(await self._judge(parent, [one for one in told if isinstance(one, _Said)]))
        return [one if isinstance(one, Error) else next(judged) for one in told]

    async def _said(self, application: str, request: SendMessagesRequest, now: datetime) -> _Said:
        _check_purpose(request)
        _check_expiry(request, now)
        content = request.content
        if content.templates:
            content = await self._templates.complete_or_refuse(application, content)
        compiled = contents.check(content)
        contents.check_pools(application, content)
        return _Said(request, content, compiled.parts)

    async def _judge(self, parent: str, said: Sequence[_Said]) -> list[Call | Error]:
        written_to = list(chain.from_iterable(one.request.recipients for one in said))
        named = await self._lookups.named(parent, written_to)
        persons = await self._lookups.persons(parent, written_to)
        return [_judged(parent, one, named, persons) for one in said]


def _judged(
    parent: str,
    said: _Said,
    named: Mapping[str, Endpoint] | Unavailable,
    persons: Mapping[Addressed, Endpoint] | Unavailable,
) -> Call | Error:
    request = said.request
    if isinstance(named, Unavailable):
        if recipients.endpoint_names(request.recipients):
            return named
        named = {}
    if isinstance(persons, Unavailable):
        if lookups.needs_persons(request, said.content):
            return persons
        persons = {}
    judged = recipients.judge(request.recipients, named, said.parts, persons)
    return Call(
        request=Request(
            application=names.application_of(parent),
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


def _check_item(parent: str, request: SendMessagesRequest) -> None:
    """What a send of a batch needs; without a parent of its own it has that of the batch."""
    request.parent = request.parent or parent
    if request.parent != parent:
        raise invalid("APPLICATION_MISMATCH", "parent", f"must be empty, or {parent}")
    if not request.request_id:
        raise invalid("REQUIRED", "request_id", "the field is required")
    _check_rules(request)


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
