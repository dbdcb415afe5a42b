"""Exports, asked for and read back."""

from typing import Any

from audience_room import SHOP, Room
from google.longrunning import operations_pb2
from heliograph.audience.v1 import export_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb

Job = export_job_pb2.ExportJob


async def exported(room: Room, **request: Any) -> Job:
    """Ask for an export and run it; the job as it ended."""
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, **request)
    )
    await room.work()
    return await told(room, operation)


async def told(room: Room, operation: operations_pb2.Operation) -> Job:
    """The job of an operation, as the operation tells it."""
    asked = operations_pb2.GetOperationRequest(name=operation.name)
    job = Job()
    (await room.operations.GetOperation(asked)).metadata.Unpack(job)
    return job


def read(room: Room, path: str) -> dict[str, bytes]:
    """The files of a folder."""
    folder = room.export_folder / "shop" / path
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
