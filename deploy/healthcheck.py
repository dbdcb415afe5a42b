"""Asks the service in this container whether it serves; exits 0 if it does, else 1."""

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_SECONDS = 4.0


def serves(port: str) -> bool:
    """Whether health on this port of this machine says SERVING."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    listen = os.environ["HELIOGRAPH_HEALTH_LISTEN"]
    sys.exit(0 if serves(listen.rpartition(":")[2]) else 1)
