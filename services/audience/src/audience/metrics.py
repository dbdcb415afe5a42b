"""What audience counts about itself, for Prometheus."""

from prometheus_client import Counter, Histogram

ENDPOINTS_WRITTEN = Counter(
    "heliograph_audience_endpoints_written_total",
    "Endpoints written, by what wrote them: api or import.",
    ["source"],
)
ADDRESSES_CLAIMED = Counter(
    "heliograph_audience_addresses_claimed_total",
    "Addresses that changed hands, by what wrote the endpoint that has them now.",
    ["source"],
)
ENDPOINTS_EVICTED = Counter(
    "heliograph_audience_endpoints_evicted_total",
    "Endpoints that users lost for newer ones, by what wrote those.",
    ["source"],
)
ROWS_REFUSED = Counter(
    "heliograph_audience_import_rows_refused_total", "Rows of files refused, by reason.", ["reason"]
)
ENDPOINTS_EXPORTED = Counter(
    "heliograph_audience_endpoints_exported_total", "Endpoints written to files or streamed out."
)
CHUNK_SECONDS = Histogram(
    "heliograph_audience_import_chunk_seconds",
    "Time of one transaction of an import.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
OPT_OUTS_HEARD = Counter(
    "heliograph_audience_opt_outs_heard_total",
    "Addresses heard to have gone on an opt-out list (out) or off it (in).",
    ["kind"],
)
OPT_OUT_LAG_SECONDS = Histogram(
    "heliograph_audience_opt_out_lag_seconds",
    "Time from when the bus took an opt-out until it is known here.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300, 3600),
)
MEMBERS_STREAMED = Counter(
    "heliograph_audience_members_streamed_total", "Members of segments that were streamed."
)
