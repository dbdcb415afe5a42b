"""HTTP clients for servers that are not ours: bounded in time, and never led elsewhere."""

import ssl
from datetime import timedelta
from pathlib import Path

from pyreqwest.client import ClientBuilder


def builder(
    request_seconds: float, connect_seconds: float, authority_file: str = ""
) -> ClientBuilder:
    """A client to be that follows no redirect, and trusts one authority more: that of a PEM file,
    or else the one that OpenSSL is told of (SSL_CERT_FILE)."""
    begun = (
        ClientBuilder()
        .follow_redirects(False)
        .timeout(timedelta(seconds=request_seconds))
        .connect_timeout(timedelta(seconds=connect_seconds))
    )
    authorities = authority_file or ssl.get_default_verify_paths().cafile
    if authorities:
        begun = begun.add_root_certificate_pem(Path(authorities).read_bytes())
    return begun
