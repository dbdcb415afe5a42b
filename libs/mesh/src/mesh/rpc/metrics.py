"""How many calls, how long they took, and how they ended; on both sides."""

from mesh.telemetry.metrics import LATENCY_BUCKETS_SECONDS
from prometheus_client import Counter, Gauge, Histogram

_LABELS = ("service", "method", "code")

SERVER_SECONDS = Histogram(
    "heliograph_rpc_server_duration_seconds",
    "Time a call took in this server, by how it ended.",
    _LABELS,
    buckets=LATENCY_BUCKETS_SECONDS,
)
SERVER_IN_FLIGHT = Gauge(
    "heliograph_rpc_server_in_flight",
    "Calls this server is working on.",
    ("service", "method"),
)
CLIENT_SECONDS = Histogram(
    "heliograph_rpc_client_duration_seconds",
    "Time a call took as its client saw it, retries included, by how it ended.",
    _LABELS,
    buckets=LATENCY_BUCKETS_SECONDS,
)
REFUSALS = Counter(
    "heliograph_rpc_server_errors_total",
    "Calls this server refused, by ErrorInfo reason.",
    ("service", "reason"),
)


class Durations:
    """The duration histogram of one method, with its labels bound once per code."""

    def __init__(self, histogram: Histogram, service: str, method: str) -> None:
        self._histogram = histogram
        self._service = service
        self._method = method
        self._bound: dict[str, Histogram] = {}

    def observe(self, code: str, seconds: float) -> None:
        """Count a call that ended with this code after so many seconds."""
        bound = self._bound.get(code)
        if bound is None:
            bound = self._histogram.labels(self._service, self._method, code)
            self._bound[code] = bound
        bound.observe(seconds)
