"""Trace context across tasks, and in and out of message headers (W3C Trace Context)."""

from collections.abc import Mapping

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_W3C = TraceContextTextMapPropagator()

Trace = Context
"""Where in which trace something happens."""


def current() -> Trace:
    """Where this moment is, for a task that works on behalf of this one."""
    return contexts.get_current()


def enter(place: Trace) -> None:
    """Go on there for the rest of this task."""
    contexts.attach(place)


def inject(
    headers: Mapping[str, str] | None = None, context: Context | None = None
) -> dict[str, str]:
    """The headers, as a new dictionary, with the trace context (of this moment) added."""
    carrier = dict(headers or {})
    _W3C.inject(carrier, context)
    return carrier


def extract(headers: Mapping[str, str] | None) -> Context:
    """The trace context that headers carry; an empty one when they carry none."""
    if not headers or "traceparent" not in headers:
        return Context()
    return _W3C.extract(headers, context=Context())


def trace_id() -> str:
    """The trace id of this moment as 32 hex digits, empty outside of a trace."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
