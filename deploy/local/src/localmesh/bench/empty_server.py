"""A grpc.aio server whose handler does nothing, as the yardstick for one that does something."""

import asyncio
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from heliograph.audience.v1 import endpoint_service_pb2
from heliograph.messaging.v1 import message_service_pb2

KNOWN = (endpoint_service_pb2.DESCRIPTOR, message_service_pb2.DESCRIPTOR)
"""The files whose methods can be asked for."""


async def _serve(full_name: str) -> None:
    """`full_name` is that of a method, as `package.Service.Method`."""
    service, _, name = full_name.rpartition(".")
    method = descriptor_pool.Default().FindMethodByName(full_name)
    request = message_factory.GetMessageClass(method.input_type)
    response = message_factory.GetMessageClass(method.output_type)

    async def answer(request: object, context: object) -> object:
        return response()

    handler = grpc.unary_unary_rpc_method_handler(
        answer, request.FromString, response.SerializeToString
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {name: handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
