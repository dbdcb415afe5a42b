"""The service as a process: it starts, survives `kill -9` in the middle of an import, and stops."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

from google.longrunning import operations_pb2, operations_pb2_grpc
from heliograph.audience.v1 import (
    application_service_pb2,
    application_service_pb2_grpc,
    import_job_pb2,
    transfer_service_pb2,
    transfer_service_pb2_grpc,
)
from mesh.testkit import eventually
from mesh.testkit.rpc import RpcConnect

SHOP = "applications/shop"
COUNT = 60_000


async def start(environment: dict[str, str], ports_file: Path) -> tuple[Process, str]:
    """The process, and its address once it is ready."""
    await asyncio.to_thread(ports_file.unlink, missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "audience", "serve"),
        env={**os.environ, **environment, "HELIOGRAPH_PORTS_FILE": str(ports_file)},
    )
    await eventually(lambda: ports_file.exists() or process.returncode is not None)
    assert process.returncode is None
    ports = json.loads(await asyncio.to_thread(ports_file.read_text))
    return process, f"127.0.0.1:{ports['grpc']}"


async def test_an_import_survives_the_death_of_its_process(
    database_url: str,
    nats_url: str,
    auth_public_key: str,
    rpc_connect: RpcConnect,
    tmp_path: Path,
) -> None:
    environment = {
        "HELIOGRAPH_DATABASE_URL": database_url,
        "HELIOGRAPH_NATS_URL": nats_url,
        "HELIOGRAPH_AUTH_PUBLIC_KEY": auth_public_key,
        "HELIOGRAPH_IMPORT_FOLDER": str(tmp_path),
    }
    write_file(tmp_path / "shop" / "people.csv")
    process, address = await start(environment, tmp_path / "ports.json")
    try:
        channel = rpc_connect(address)
        await application_service_pb2_grpc.ApplicationServiceStub(channel).CreateApplication(
            application_service_pb2.CreateApplicationRequest(application_id="shop", application={})
        )
        operation = await transfer_service_pb2_grpc.TransferServiceStub(channel).ImportEndpoints(
            transfer_service_pb2.ImportEndpointsRequest(parent=SHOP, path="people.csv")
        )
        asking = operations_pb2_grpc.OperationsStub(channel)

        async def job() -> import_job_pb2.ImportJob:
            asked = operations_pb2.GetOperationRequest(name=operation.name)
            found = import_job_pb2.ImportJob()
            (await asking.GetOperation(asked)).metadata.Unpack(found)
            return found

        async def has_begun() -> bool:
            return (await job()).imported_count > 0

        await eventually(has_begun)
        process.kill()
        await process.wait()
        process, address = await start(environment, tmp_path / "ports.json")
        asking = operations_pb2_grpc.OperationsStub(rpc_connect(address))

        async def has_ended() -> bool:
            return (await job()).HasField("end_time")

        await eventually(has_ended)
        ended = await job()
        process.send_signal(signal.SIGTERM)
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert ended.state == import_job_pb2.ImportJob.SUCCEEDED
    assert (ended.imported_count, ended.created_count, ended.failed_count) == (COUNT, COUNT, 0)
    assert status == 0


def write_file(path: Path) -> None:
    path.parent.mkdir()
    rows = (f"SMS,+1415{5_000_000 + index},e{index}\n" for index in range(COUNT))
    path.write_text("ChannelType,Address,Id\n" + "".join(rows))
