"""An HTTP request in ClickHouse's protocol, read into the query that it asks for."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mesh.embedded.http_server import Request

# Arguments of the transport: everything else in the address is a setting of the query.
_TRANSPORT = frozenset(
    {
        *("query", "database", "user", "password", "quota_key", "role", "query_id"),
        *("session_id", "session_timeout", "session_check", "close_session"),
        *("default_format", "wait_end_of_query", "buffer_size", "compress", "decompress"),
        *("client_protocol_version", "enable_http_compression", "send_progress_in_http_headers"),
        *("http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close"),
    }
)
_PARAMETER = "param_"


class UnsupportedError(Exception):
    """ClickHouse's server could do this, this one cannot."""


@dataclass(frozen=True)
class Query:
    """`text` is the statement, followed by the rows if it is an insert that brings them."""

    text: bytes
    query_id: str = ""
    database: str = ""
    session_id: str = ""
    default_format: str = "TabSeparated"
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


def read_query(request: Request) -> Query:
    """Raises UnsupportedError naming the part of the protocol that is not served."""
    arguments = dict(request.query)
    body = _decompressed(request)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        arguments.update(_form_fields(body, content_type))
        body = b""
    return Query(
        text=_text(arguments.get("query", ""), body),
        query_id=arguments.get("query_id", ""),
        database=arguments.get("database") or request.headers.get("x-clickhouse-database", ""),
        session_id=arguments.get("session_id", ""),
        default_format=_default_format(request, arguments),
        parameters={
            name.removeprefix(_PARAMETER): value
            for name, value in arguments.items()
            if name.startswith(_PARAMETER)
        },
        settings={
            name: value
            for name, value in arguments.items()
            if name not in _TRANSPORT and not name.startswith(_PARAMETER)
        },
    )


def _default_format(request: Request, arguments: Mapping[str, str]) -> str:
    named = arguments.get("default_format") or request.headers.get("x-clickhouse-format")
    return named or "TabSeparated"


def _text(in_address: str, body: bytes) -> bytes:
    """A query in the address goes before the body, as if they were one text."""
    if not in_address:
        return body
    statement = in_address.encode().rstrip()
    return statement + b"\n" + body if body else statement


def _decompressed(request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").lower()
    decompress = _decompressors().get(encoding)
    if decompress is None:
        raise UnsupportedError(f"Content-Encoding {encoding} is not served; send gzip or none")
    return decompress(request.body)


def _decompressors() -> dict[str, Callable[[bytes], bytes]]:
    known: dict[str, Callable[[bytes], bytes]] = {
        "identity": lambda body: body,
        "gzip": gzip.decompress,
        "deflate": zlib.decompress,
    }
    try:
        import lz4.frame  # type: ignore[import-untyped]
    except ImportError:
        return known
    return {**known, "lz4": lz4.frame.decompress}


def _form_fields(body: bytes, content_type: str) -> dict[str, str]:
    """Plain fields of multipart/form-data, RFC 7578; a file would be external data."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    fields = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if b"filename=" in head:
            raise UnsupportedError("external data is not served; insert it into a table")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        fields[name] = content.removesuffix(b"\r\n").decode()
    return fields
