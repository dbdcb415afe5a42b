"""TLS on both ends; mutual when the server is given the authority of its clients."""

from pathlib import Path
from typing import Protocol

import grpc


class TlsSettings(Protocol):
    """Paths of PEM files; all empty means plain text, as on one machine."""

    @property
    def tls_certificate_file(self) -> str: ...
    @property
    def tls_key_file(self) -> str: ...
    @property
    def tls_authority_file(self) -> str: ...


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """Credentials of a server, None for plain text. With an authority, clients must present
    a certificate that it signed."""
    if not settings.tls_certificate_file:
        return None
    authority = _authority(settings)
    return grpc.ssl_server_credentials(
        [(_read(settings.tls_key_file), _read(settings.tls_certificate_file))],
        root_certificates=authority,
        require_client_auth=authority is not None,
    )


def channel_credentials(settings: TlsSettings) -> grpc.ChannelCredentials | None:
    """Credentials of a client of other services, None for plain text."""
    if not settings.tls_certificate_file:
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=_authority(settings),
        private_key=_read(settings.tls_key_file),
        certificate_chain=_read(settings.tls_certificate_file),
    )


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _authority(settings: TlsSettings) -> bytes | None:
    return _read(settings.tls_authority_file) if settings.tls_authority_file else None
