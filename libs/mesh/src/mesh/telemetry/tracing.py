"""OpenTelemetry tracing: the provider of this process, its tracer, and adding an exporter."""

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, Sampler, TraceIdRatioBased

tracer = trace.get_tracer("mesh")


def setup(service_name: str, otlp_endpoint: str = "", trace_ratio: float = 1.0) -> None:
    """Install the provider. Without an endpoint nothing is recorded, but trace ids still flow."""
    recording = TraceIdRatioBased(trace_ratio) if otlp_endpoint else ALWAYS_OFF
    _install(service_name, ParentBased(recording) if otlp_endpoint else recording)
    if otlp_endpoint:
        # A process that exports nothing starts faster without it.
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        insecure = not otlp_endpoint.startswith("https://")
        exporter = OTLPSpanExporter(endpoint=otlp_endpoint, insecure=insecure)
        record_to(BatchSpanProcessor(exporter))


def install(service_name: str, processor: SpanProcessor) -> None:
    """Install a provider that records every span to `processor`; tests read spans this way."""
    _install(service_name, TraceIdRatioBased(1.0))
    record_to(processor)


def record_to(processor: SpanProcessor) -> None:
    """Let the installed provider hand its spans to one more processor."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(processor)


def shutdown() -> None:
    """Flush and end what the installed provider exports to."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def _install(service_name: str, sampler: Sampler) -> None:
    """A process has one provider; the first wins, as OpenTelemetry wants it."""
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    resource = Resource.create({SERVICE_NAME: service_name})
    trace.set_tracer_provider(
        TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
    )
