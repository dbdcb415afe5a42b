"""Waiting until every service has erased an application or a person."""

from collections.abc import Callable

from google.longrunning.operations_pb2 import Operation, WaitOperationRequest
from heliograph.audience.v1.application_service_pb2 import (
    DeleteApplicationMetadata,
    ServiceErasure,
)
from heliograph.audience.v1.user_service_pb2 import DeleteUserMetadata
from heliograph.client import Client

WAIT_SECONDS = 5


async def erased(
    client: Client, operation: Operation, waits: Callable[[list[str]], None]
) -> list[ServiceErasure]:
    """What each service erased, once all have; until then, `waits` hears which have not, once
    each time that they are others.

    Has no end while a service is away; whoever is tired of it may ask for the operation later.
    """
    before: list[str] = []
    while not operation.done:
        request = WaitOperationRequest(name=operation.name, timeout={"seconds": WAIT_SECONDS})
        operation = await client.operations.WaitOperation(request)
        left = [one.service for one in services(operation) if not one.HasField("erase_time")]
        if left and left != before:
            waits(left)
        before = left
    return services(operation)


def services(operation: Operation) -> list[ServiceErasure]:
    """How far each service is."""
    for metadata in (DeleteApplicationMetadata(), DeleteUserMetadata()):
        if operation.metadata.Unpack(metadata):
            return list(metadata.services)
    return []
