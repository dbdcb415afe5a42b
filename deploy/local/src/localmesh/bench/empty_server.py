"""A gRPC server that does nothing, as the yardstick for one that does something."""

import asyncio
import sys
from typing import Any

import grpc


async def _serve() -> None:
    async def answer(request: bytes, context: object) -> bytes:
        return b""

    methods: dict[str, Any] = {"Call": grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler("bench.Empty", methods)
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve())
