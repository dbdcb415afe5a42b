"""A span around handling messages, in the trace of whoever sent them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from mesh.telemetry import propagation, tracing
from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind

LINKS_MAX = 32
"""A span of a batch links to so many of its messages' traces; more says no more."""


@contextmanager
def consuming(
    name: str, carriers: Sequence[Mapping[str, str]], attributes: Mapping[str, str | int]
) -> Iterator[Span]:
    """A consumer span: child of a single message's trace, linked to those of a batch."""
    contexts = [propagation.extract(carrier) for carrier in carriers[:LINKS_MAX]]
    single = len(carriers) == 1
    senders = [trace.get_current_span(context).get_span_context() for context in contexts]
    with tracing.tracer.start_as_current_span(
        name,
        context=contexts[0] if single else None,
        kind=SpanKind.CONSUMER,
        links=[] if single else [Link(sender) for sender in senders if sender.is_valid],
        attributes=dict(attributes),
    ) as span:
        yield span
