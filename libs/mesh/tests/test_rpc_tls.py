"""TLS on both ends, with certificates of a throw-away authority."""

from dataclasses import replace
from pathlib import Path

import grpc
import pytest
import trustme
from mesh import errors
from mesh.rpc import tls
from mesh.rpc.channel import channel
from mesh.rpc.server import rpc_server
from mesh.testkit.rpc import RpcSettings

NAME = "applications/a/books/1"


class Shelf:
    def __init__(self, pb) -> None:
        self.pb = pb

    async def GetBook(self, request, context):
        return self.pb.Book(name=request.name)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Settings with a certificate, its key, and the authority of both."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return {
        "tls_authority_file": str(folder / "authority.pem"),
        "tls_key_file": str(folder / "key.pem"),
        "tls_certificate_file": str(folder / "certificate.pem"),
    }


async def test_both_sides_prove_who_they_are(library, files, auth_public_key, admin_token):
    settings = replace(RpcSettings(auth_public_key), **files)
    async with rpc_server(settings, {library.service: Shelf(library.pb)}) as server:
        address = f"localhost:{server.port}"
        credentials = tls.channel_credentials(settings)
        async with channel(address, token=admin_token, credentials=credentials) as opened:
            stub = library.grpc.LibraryServiceStub(opened)
            assert (await stub.GetBook(library.pb.GetBookRequest(name=NAME))).name == NAME


@pytest.fixture(scope="module")
def anonymous(files) -> grpc.ChannelCredentials:
    """Credentials of a client that trusts the authority and has no certificate of its own."""
    return grpc.ssl_channel_credentials(Path(files["tls_authority_file"]).read_bytes())


async def test_a_client_without_a_certificate_is_turned_away(
    library, files, anonymous, auth_public_key, admin_token
):
    settings = replace(RpcSettings(auth_public_key), **files)
    async with rpc_server(settings, {library.service: Shelf(library.pb)}) as server:
        address = f"localhost:{server.port}"
        for credentials in (anonymous, None):
            async with channel(address, token=admin_token, credentials=credentials) as opened:
                stub = library.grpc.LibraryServiceStub(opened)
                with pytest.raises(errors.Unavailable):
                    await stub.GetBook(library.pb.GetBookRequest(name=NAME))


def test_without_a_certificate_there_is_plain_text(auth_public_key):
    settings = RpcSettings(auth_public_key)
    assert tls.server_credentials(settings) is None
    assert tls.channel_credentials(settings) is None
