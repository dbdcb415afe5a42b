"""What happens around every call a server answers, composed once per method.

In order: trace, authenticate, check the role, read the request, authorise the applications it
names, refuse those that are gone, validate it, run the servicer, count; and any exception becomes
a google.rpc.Status. One wrapper instead of five gRPC interceptors: each of those costs a coroutine
per call.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from grpc_status import rpc_status
from mesh.errors import Error, InvalidArgument, Unauthenticated
from mesh.rpc import deadlines, status, validation
from mesh.rpc.auth import access, identity
from mesh.rpc.auth.gone import Gone
from mesh.rpc.auth.tokens import Verifier
from mesh.rpc.failures import as_error
from mesh.rpc.observed import Observed

Context = grpc.aio.ServicerContext[Any, Any]
Headers = Mapping[str, str]


class Incoming:
    """One method of one service, answered by `behaviour`, the servicer's bound method."""

    def __init__(
        self,
        method: MethodDescriptor,
        behaviour: Callable[..., Any],
        verifier: Verifier,
        gone: Gone = Gone(),
        *,
        validating: bool = True,
    ) -> None:
        self._behaviour = behaviour
        self._verifier = verifier
        self._method = f"{method.containing_service.full_name}/{method.name}"
        self._domain = method.containing_service.file.package
        self._observed = Observed.of(method)
        self._request = message_factory.GetMessageClass(method.input_type)
        self._response = message_factory.GetMessageClass(method.output_type)
        self._roles = access.allowed_roles(method)
        self._authorise = access.request_check(method)
        self._refuse_gone = gone.request_check(method)
        self._validate = validation.request_check(self._request) if validating else _any
        self._receive = self._read_each if method.client_streaming else self._read

    async def answer_one(self, received: Any, context: Context) -> bytes:
        """Answer with one response."""
        metadata = headers(context)
        call = self._observed.begin(metadata)
        try:
            known = self._admit(metadata, context)
            response = await self._behaviour(self._receive(received, known), context)
            answer = self._written(response)
        except asyncio.CancelledError:
            call.end("CANCELLED")
            raise
        except Exception as failure:
            error = as_error(failure)
            call.refuse(error, failure)
            await self._refuse(error, context)
        else:
            call.end("OK")
            return answer
        raise AssertionError("abort raises")

    async def answer_many(self, received: Any, context: Context) -> AsyncIterator[bytes]:
        """Answer with a stream of responses; a failure in its middle is mapped as well."""
        metadata = headers(context)
        call = self._observed.begin(metadata)
        try:
            known = self._admit(metadata, context)
            responses = self._behaviour(self._receive(received, known), context)
            async with aclosing(responses):
                async for response in responses:
                    yield self._written(response)
        except (asyncio.CancelledError, GeneratorExit):
            call.end("CANCELLED")
            raise
        except Exception as failure:
            error = as_error(failure)
            call.refuse(error, failure)
            await self._refuse(error, context)
        else:
            call.end("OK")

    def _admit(self, metadata: Headers, context: Context) -> identity.Caller:
        """Find out who calls and note it, with the deadline, for the rest of this task."""
        deadlines.enter(context.time_remaining())
        known = self._verifier.verify(_token(metadata))
        access.check_role(self._roles, known, self._method)
        identity.enter(known)
        return known

    def _read(self, raw: bytes, known: identity.Caller, first: bool = True) -> Message:
        try:
            request = self._request.FromString(raw)
        except DecodeError:
            raise InvalidArgument("REQUEST_MALFORMED", "not a request of this type") from None
        self._authorise(known, request, first)
        self._refuse_gone(request)
        self._validate(request)
        return request

    async def _read_each(
        self, stream: AsyncIterator[bytes], known: identity.Caller
    ) -> AsyncIterator[Message]:
        first = True
        async for raw in stream:
            yield self._read(raw, known, first)
            first = False

    def _written(self, response: object) -> bytes:
        if not isinstance(response, self._response):
            raise TypeError(f"{self._method} answered with a {type(response).__name__}")
        return response.SerializeToString()

    async def _refuse(self, error: Error, context: Context) -> None:
        answer = status.from_error(error, self._domain)
        await context.abort_with_status(rpc_status.to_status(answer))


def _any(request: Message) -> None:
    """Refuses no request."""


def headers(context: Context) -> Headers:
    """The metadata of a call that is text; binary metadata means nothing here."""
    metadata = context.invocation_metadata() or ()
    return {key: value for key, value in metadata if isinstance(value, str)}


def _token(metadata: Headers) -> str:
    scheme, _, token = metadata.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("TOKEN_MISSING", "the call carries no bearer token")
    return token
