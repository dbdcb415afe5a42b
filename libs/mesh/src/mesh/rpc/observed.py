"""Spans, metrics and logs of the calls a server answers."""

import time
from collections.abc import Mapping

from google.protobuf.descriptor import MethodDescriptor
from mesh.errors import Error
from mesh.rpc import metrics
from mesh.telemetry import attributes, logging, propagation, tracing
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

_log = logging.get(__name__)


class Observed:
    """What is observed of one method: its names, and its metrics with their labels bound."""

    def __init__(self, service: str, method: str) -> None:
        self.service = service
        self.name = f"{service}/{method}"
        self.durations = metrics.Durations(metrics.SERVER_SECONDS, service, method)
        self.in_flight = metrics.SERVER_IN_FLIGHT.labels(service, method)
        self.attributes = {
            attributes.RPC_SYSTEM: "grpc",
            attributes.RPC_SERVICE: service,
            attributes.RPC_METHOD: method,
        }

    @classmethod
    def of(cls, method: MethodDescriptor) -> "Observed":
        """What is observed of a method of the contract."""
        return cls(method.containing_service.full_name, method.name)

    def begin(self, metadata: Mapping[str, str]) -> "Call":
        """Begin to observe a call, continuing the trace of its caller."""
        return Call(self, metadata)


class Call:
    """One call under observation. Its span is current for the rest of this task."""

    __slots__ = ("_of", "_span", "_started")

    def __init__(self, of: Observed, metadata: Mapping[str, str]) -> None:
        self._of = of
        self._started = time.perf_counter()
        parent = propagation.extract(metadata)
        self._span = tracing.tracer.start_span(
            of.name, parent, kind=SpanKind.SERVER, attributes=of.attributes
        )
        # A call is a task of its own, so there is nothing to restore when it ends.
        contexts.attach(trace.set_span_in_context(self._span, parent))
        of.in_flight.inc()

    def end(self, code: str) -> None:
        """The call ended with this code."""
        self._of.in_flight.dec()
        self._of.durations.observe(code, time.perf_counter() - self._started)
        self._span.set_attribute(attributes.RPC_CODE, code)
        self._span.end()

    def refuse(self, error: Error, failure: Exception) -> None:
        """The call ended with an error. One that nobody foresaw is logged with its traceback."""
        metrics.REFUSALS.labels(self._of.service, error.reason).inc()
        self._span.set_attribute(attributes.REASON, error.reason)
        if error is not failure:
            log = _log.error if error.code == "INTERNAL" else _log.warning
            log("rpc.failed", method=self._of.name, reason=error.reason, exc_info=failure)
        if error.code in ("INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
            self._span.record_exception(failure)
            self._span.set_status(StatusCode.ERROR, error.reason)
        self.end(error.code)
