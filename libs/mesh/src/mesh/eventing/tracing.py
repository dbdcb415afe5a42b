"""Trace context in message headers, so that a trace goes on across NATS and across the outbox."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind

tracer = trace.get_tracer("mesh.eventing")


def inject() -> dict[str, str]:
    """The current trace context as headers; empty when nothing is being traced."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


@contextmanager
def consuming(
    name: str, carriers: list[Mapping[str, str]], attributes: Mapping[str, str | int]
) -> Iterator[Span]:
    """A consumer span: child of a single message's trace, linked to each of a batch's."""
    contexts = [propagate.extract(carrier) for carrier in carriers]
    parent = contexts[0] if len(contexts) == 1 else None
    links = [trace.Link(trace.get_current_span(context).get_span_context()) for context in contexts]
    with tracer.start_as_current_span(
        name,
        context=parent,
        kind=SpanKind.CONSUMER,
        links=[] if parent is not None else [link for link in links if link.context.is_valid],
        attributes=dict(attributes),
    ) as span:
        yield span
