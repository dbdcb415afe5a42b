"""A grpc.aio server whose handler does nothing, as the yardstick for one that does something."""

import asyncio
import sys

import grpc
from heliograph.messaging.v1 import message_service_pb2 as pb

SERVICE = pb.DESCRIPTOR.services_by_name["MessageService"].full_name


async def _serve() -> None:
    async def answer(request: pb.SendMessagesRequest, context: object) -> pb.SendMessagesResponse:
        return pb.SendMessagesResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        answer, pb.SendMessagesRequest.FromString, pb.SendMessagesResponse.SerializeToString
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"SendMessages": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve())
