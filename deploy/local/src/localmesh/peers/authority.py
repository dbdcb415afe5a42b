"""A certificate authority in a folder: who trusts its one file trusts all peers."""

import os
import ssl
from pathlib import Path

import trustme

_CERTIFICATE = "ca.pem"
_KEY = "ca.key"


class Authority:
    """Made once in `folder`, then the same at every start; `certificate_file` is what to trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate_file = folder / _CERTIFICATE
        key_file = folder / _KEY
        if self.certificate_file.exists() and key_file.exists():
            certificate, key = self.certificate_file.read_bytes(), key_file.read_bytes()
            self._authority = trustme.CA.from_pem(certificate, key)
            return
        self._authority = trustme.CA(organization_name="Local mesh")
        _write_private(key_file, self._authority.private_key_pem.bytes())
        self.certificate_file.write_bytes(self._authority.cert_pem.bytes())

    def server_context(self, *protocols: str) -> ssl.SSLContext:
        """TLS for a server on this machine that offers `protocols` (ALPN, RFC 7301)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if protocols:
            context.set_alpn_protocols(list(protocols))
        self._authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context


def _write_private(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
