"""Calls that end before their work does, on a real server."""

import asyncio

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mesh import errors
from mesh.rpc.server import rpc_server
from mesh.testkit import eventually
from mesh.testkit.rpc import RpcSettings
from mesh.testkit.waiting import TIMEOUT_SECONDS
from rpc_shelf import NAME, listing


async def test_a_caller_that_gives_up_cancels_the_work(stub, library, shelf):
    call = stub.GetBook(library.pb.GetBookRequest(name=NAME("slow")))
    await shelf.started.wait()
    call.cancel()
    await asyncio.wait_for(shelf.cancelled.wait(), TIMEOUT_SECONDS)


async def test_a_deadline_that_passes_ends_the_work_on_both_sides(stub, library, shelf):
    # A call whose deadline passes on its way has no work that could end.
    while not shelf.started.is_set():
        with pytest.raises(errors.DeadlineExceeded):
            await stub.GetBook(library.pb.GetBookRequest(name=NAME("slow")), timeout=0.5)
    await asyncio.wait_for(shelf.cancelled.wait(), TIMEOUT_SECONDS)


async def test_leaving_a_stream_early_cancels_the_work(stub, library, shelf):
    stream = aiter(stub.StreamBooks(listing(library, filter="slow")))
    await anext(stream)
    # Cancelled while it still sends, the work would never come to wait.
    await asyncio.wait_for(shelf.started.wait(), TIMEOUT_SECONDS)
    await stream.aclose()
    await asyncio.wait_for(shelf.cancelled.wait(), TIMEOUT_SECONDS)


async def test_a_server_that_stops_lets_calls_in_work_finish(
    library, shelf, auth_public_key, rpc_connect
):
    async with rpc_server(
        RpcSettings(auth_public_key, shutdown_grace_seconds=TIMEOUT_SECONDS),
        {library.service: shelf},
    ) as server:
        stub = library.grpc.LibraryServiceStub(rpc_connect(f"127.0.0.1:{server.port}"))
        call = asyncio.ensure_future(
            _await(stub.GetBook(library.pb.GetBookRequest(name=NAME("slow"))))
        )
        await shelf.started.wait()
        stopping = asyncio.create_task(server.stop(TIMEOUT_SECONDS))
        health = health_pb2_grpc.HealthStub(rpc_connect(f"127.0.0.1:{server.port}"))

        async def refused() -> bool:
            try:
                answer = await health.Check(
                    health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS
                )
            except (errors.Unavailable, errors.Cancelled):
                # The server closes the new connection; gRPC calls that one or the other.
                return True
            return answer.status == health_pb2.HealthCheckResponse.NOT_SERVING

        await eventually(refused)
        shelf.release.set()
        assert (await call).name == NAME("slow")
        await asyncio.wait_for(stopping, TIMEOUT_SECONDS)
        await server.wait()


async def _await(call):
    return await call
