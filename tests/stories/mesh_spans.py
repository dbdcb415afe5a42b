"""What the services of the mesh record of themselves, taken in as a collector would."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Seen(NamedTuple):
    """A span, and of which service it is."""

    service: str
    span: Span


class Spans(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes spans over OTLP, and tells who caused what."""

    def __init__(self) -> None:
        self.endpoint = ""
        self._seen: dict[bytes, Seen] = {}

    async def Export(self, request: pb.ExportTraceServiceRequest, context: Any) -> Any:
        for resource in request.resource_spans:
            attributes = {pair.key: pair.value for pair in resource.resource.attributes}
            service = attributes["service.name"].string_value
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self._seen[span.span_id] = Seen(service, span)
        return pb.ExportTraceServiceResponse()

    def forget(self) -> None:
        """Begin anew."""
        self._seen.clear()

    def traces(self, name: str) -> set[bytes]:
        """The traces that have a span of this name."""
        return {seen.span.trace_id for seen in self._seen.values() if seen.span.name == name}

    def edges(self, trace: bytes) -> Iterator[tuple[str, str, str]]:
        """Causing service, service and name of the spans of a trace, and of those linked to it."""
        for service, span in self._seen.values():
            linked = [link.span_id for link in span.links if link.trace_id == trace]
            causes = [span.parent_span_id] if span.trace_id == trace else linked
            for cause in causes:
                if cause in self._seen:
                    yield self._seen[cause].service, service, span.name
