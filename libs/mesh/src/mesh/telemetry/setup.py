"""The one call that configures logging and tracing of a process."""

import atexit
from typing import Protocol

from mesh.telemetry import logging, tracing


class TelemetrySettings(Protocol):
    """What telemetry reads of a service's settings."""

    @property
    def log_level(self) -> str: ...
    @property
    def otlp_endpoint(self) -> str: ...
    @property
    def trace_ratio(self) -> float: ...


def setup(service_name: str, settings: TelemetrySettings) -> None:
    """Configure logs and traces of this process; spans are flushed when it exits."""
    logging.setup(service_name, settings.log_level)
    tracing.setup(service_name, settings.otlp_endpoint, settings.trace_ratio)
    atexit.register(tracing.shutdown)
