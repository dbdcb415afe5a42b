"""Who gets in at the front door of a service, on a real server."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from mesh import errors
from mesh.rpc.server import rpc_server
from mesh.testkit.rpc import RpcSettings
from rpc_shelf import NAME


@pytest.mark.parametrize(
    ("token", "kind"),
    [("", errors.Unauthenticated), ("nonsense", errors.Unauthenticated)],
)
async def test_without_a_good_token_nothing_is_answered(address, rpc_connect, library, token, kind):
    stub = library.grpc.LibraryServiceStub(rpc_connect(address, token=token))
    with pytest.raises(kind):
        await stub.GetBook(library.pb.GetBookRequest(name=NAME("1")))
    with pytest.raises(kind):
        await stub.DeleteBook(library.pb.GetBookRequest(name=NAME("1")))


async def test_a_token_of_another_application_is_refused_by_every_method(
    address, rpc_connect, library, mint_token
):
    stub = library.grpc.LibraryServiceStub(rpc_connect(address, token=mint_token(["b"])))
    pb = library.pb
    for method, request in [
        ("GetBook", pb.GetBookRequest(name=NAME("1"))),
        ("DeleteBook", pb.GetBookRequest(name=NAME("1"))),
        ("ListBooks", pb.ListBooksRequest(parent="applications/a")),
        ("CreateBook", pb.CreateBookRequest(parent="applications/a")),
        ("UpdateBook", pb.UpdateBookRequest(book={"name": NAME("1")})),
        ("BatchUpdateBooks", pb.BatchUpdateBooksRequest(parent="applications/a")),
    ]:
        with pytest.raises(errors.PermissionDenied):
            await getattr(stub, method)(request)


async def test_a_reader_reads_and_does_not_write(address, rpc_connect, library, mint_token):
    stub = library.grpc.LibraryServiceStub(
        rpc_connect(address, token=mint_token(["a"], roles=["reader"]))
    )
    await stub.GetBook(library.pb.GetBookRequest(name=NAME("1")))
    with pytest.raises(errors.PermissionDenied) as refusal:
        await stub.CreateBook(library.pb.CreateBookRequest(parent="applications/a"))
    assert refusal.value.reason == "ROLE_INSUFFICIENT"


async def test_a_server_without_a_key_to_verify_with_does_not_start(library, shelf):
    with pytest.raises(ValueError, match="public key"):
        async with rpc_server(RpcSettings(""), {library.service: shelf}):
            pass


async def test_health_and_reflection_need_no_token(address, library):
    async with grpc.aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", library.service):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
        names = {found.name async for each in call for found in each.list_services_response.service}
    assert {library.service, "grpc.health.v1.Health"} <= names
