"""What happens around every call a client makes, composed once per method.

Adds the token, the trace and a deadline; gives a request that can carry a `request_id` one, so
that it can be repeated; and raises the errors of `mesh.errors` in place of AioRpcError.
"""

import time
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from mesh.rpc import deadlines, limits, metrics, status
from mesh.rpc.auth import identity
from mesh.telemetry import attributes, propagation, tracing
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode

Metadata = Sequence[tuple[str, str | bytes]]


class Outgoing:
    """One method as a client calls it; takes the place of gRPC's own multi-callable."""

    def __init__(
        self, path: str, inner: Callable[..., Any], token: str | None, *, unary: bool
    ) -> None:
        self._inner = inner
        self._token = token
        self._unary = unary
        self._name = path.removeprefix("/")
        service, _, method = self._name.partition("/")
        self._durations = metrics.Durations(metrics.CLIENT_SECONDS, service, method)
        self._attributes = {
            attributes.RPC_SYSTEM: "grpc",
            attributes.RPC_SERVICE: service,
            attributes.RPC_METHOD: method,
        }

    def __call__(
        self,
        request: Any = None,
        *,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        **options: Any,
    ) -> "Call":
        """Start a call. Without `timeout`, a unary call gets what is left of the deadline of the
        request in work, at most 30 seconds; a stream gets what is left of it."""
        span = tracing.tracer.start_span(
            self._name, kind=SpanKind.CLIENT, attributes=self._attributes
        )
        inner = self._inner(
            with_request_id(request) if self._unary else request,
            timeout=self._timeout() if timeout is None else timeout,
            metadata=self._metadata(metadata, span),
            **options,
        )
        return Call(inner, span, self._durations)

    def _timeout(self) -> float | None:
        left = deadlines.remaining_seconds()
        if not self._unary:
            return left
        return (
            limits.UNARY_TIMEOUT_SECONDS
            if left is None
            else min(left, limits.UNARY_TIMEOUT_SECONDS)
        )

    def _metadata(self, given: Metadata | None, span: Span) -> list[tuple[str, str | bytes]]:
        metadata = list(given or ())
        token = self._token or identity.token()
        if token and not any(key == "authorization" for key, _ in metadata):
            metadata.append(("authorization", f"Bearer {token}"))
        metadata.extend(propagation.inject(context=trace.set_span_in_context(span)).items())
        return metadata


class Call:
    """A call in flight: await it, iterate it, or read and write, as gRPC's own."""

    def __init__(self, inner: Any, span: Span, durations: metrics.Durations) -> None:
        self._inner = inner
        self._span = span
        self._durations = durations
        self._started = time.perf_counter()
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            response = yield from self._inner.__await__()
        except BaseException as failure:
            raise self._failed(failure) from failure
        self._end("OK")
        return response

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            async for response in self._inner:
                yield response
        except BaseException as failure:
            self._inner.cancel()
            raise self._failed(failure) from failure
        self._end("OK")

    async def read(self) -> Any:
        """The next response of a stream, grpc.aio.EOF after the last."""
        try:
            response = await self._inner.read()
        except BaseException as failure:
            raise self._failed(failure) from failure
        if response is grpc.aio.EOF:
            self._end("OK")
        return response

    async def write(self, request: Any) -> None:
        """Send one more request of a stream."""
        try:
            await self._inner.write(request)
        except BaseException as failure:
            raise self._failed(failure) from failure

    def cancel(self) -> bool:
        """Give the call up; false when it was over already."""
        self._end("CANCELLED")
        return bool(self._inner.cancel())

    def _failed(self, failure: BaseException) -> BaseException:
        """What to raise in place of `failure`."""
        if not isinstance(failure, grpc.aio.AioRpcError):
            self._end("CANCELLED")
            return failure
        error = status.from_rpc_error(failure)
        self._span.set_attribute(attributes.REASON, error.reason)
        self._span.set_status(StatusCode.ERROR, error.reason)
        self._end(error.code)
        return error

    def _end(self, code: str) -> None:
        if self._ended:
            return
        self._ended = True
        self._durations.observe(code, time.perf_counter() - self._started)
        self._span.set_attribute(attributes.RPC_CODE, code)
        self._span.end()


def with_request_id(request: Any) -> Any:
    """The request, copied with a new request id if it can carry one and has none (AIP-155)."""
    if not isinstance(request, Message) or "request_id" not in request.DESCRIPTOR.fields_by_name:
        return request
    if request.request_id:  # type: ignore[attr-defined]
        return request
    identified = type(request)()
    identified.CopyFrom(request)
    identified.request_id = str(uuid.uuid4())  # type: ignore[attr-defined]
    return identified
