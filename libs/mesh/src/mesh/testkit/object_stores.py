"""A real object store that speaks S3, on a socket of its own; needs the extra `objects`, and
SeaweedFS."""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from mesh.embedded.ports import free_port
from mesh.objects.places import ObjectPlace
from mesh.objects.stores import Patience
from mesh.testkit.waiting import eventually
from obstore.store import S3Store
from pydantic import SecretStr

WEED = str(Path(sys.executable).with_name("weed"))
READY_SECONDS = 60
STARTS_MAX = 3
LOG_SHOWN = 2000
HURRIED = Patience(connect_seconds=5, request_seconds=20, retries_max=1, retry_seconds=20)
OWNER = {"aws_access_key_id": "AKIAOWNER", "aws_secret_access_key": "secret"}
READER = {"aws_access_key_id": "AKIAREADER", "aws_secret_access_key": "secret"}
IDENTITIES = {
    "identities": [
        {
            "name": "owner",
            "credentials": [{"accessKey": "AKIAOWNER", "secretKey": "secret"}],
            "actions": ["Admin", "Read", "Write", "List"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": "AKIAREADER", "secretKey": "secret"}],
            "actions": ["Read:imports", "List:imports"],
        },
    ]
}


class S3Server:
    """SeaweedFS with the keys of an owner, and of a reader of the bucket `imports`."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    def place(self, use: Any, prefix: str, **fields: Any) -> ObjectPlace:
        """An open place of this server."""
        options = {**OWNER, **fields.pop("options", {})}
        secret = {name: SecretStr(value) for name, value in options.items()}
        given = {"endpoint": self.endpoint, **fields}
        return ObjectPlace(use=use, prefix=prefix, options=secret, **given)

    def bucket(self, name: str) -> S3Store:
        """A bucket, as its owner sees it."""
        return S3Store(
            name,
            aws_endpoint=self.endpoint,
            aws_access_key_id=OWNER["aws_access_key_id"],
            aws_secret_access_key=OWNER["aws_secret_access_key"],
            client_options={"allow_http": True},
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=5)},
        )

    async def put(self, bucket: str, key: str, data: bytes) -> str:
        """Store an object; its address."""
        await obstore.put_async(self.bucket(bucket), key, data)
        return f"s3://{bucket}/{key}"

    async def read(self, bucket: str, prefix: str) -> dict[str, bytes]:
        """The objects below a prefix, by what follows it."""
        found: dict[str, bytes] = {}
        async for page in obstore.list(self.bucket(bucket), prefix):
            for one in page:
                got = await obstore.get_async(self.bucket(bucket), one["path"])
                found[one["path"].removeprefix(prefix)] = bytes(await got.bytes_async())
        return dict(sorted(found.items()))


@asynccontextmanager
async def s3_serving(folder: Path) -> AsyncIterator[S3Server]:
    """A server that has taken its first objects."""
    for attempt in range(STARTS_MAX):
        data = folder / str(attempt)
        server, process = await _started(data)
        try:
            # A port may have been taken since it was found to be free.
            if await _is_ready(server, process, data):
                yield server
                return
        finally:
            if process.returncode is None:
                process.kill()  # it takes ten seconds to stop when asked
            await process.wait()
    raise AssertionError((data / "log").read_text()[-LOG_SHOWN:])


async def _started(folder: Path) -> tuple[S3Server, Process]:
    await asyncio.to_thread(_prepare, folder)
    ports = _free_ports(8)
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(WEED, "-logtostderr=true", "server", f"-dir={folder}"),
            *("-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *(f"-master.port={ports[0]}", f"-master.port.grpc={ports[1]}"),
            *("-master.electionTimeout=1s", "-master.volumeSizeLimitMB=64", "-volume.max=20"),
            *(f"-volume.port={ports[2]}", f"-volume.port.grpc={ports[3]}"),
            *("-filer", f"-filer.port={ports[4]}", f"-filer.port.grpc={ports[5]}"),
            *("-s3", f"-s3.port={ports[6]}", f"-s3.port.grpc={ports[7]}"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0"),  # else a fixed port: one server a machine
            *(f"-s3.config={folder / 's3.json'}", "-s3.iam=false"),
            stdout=log,
            stderr=log,
        )
    return S3Server(ports[6]), process


async def _is_ready(server: S3Server, process: Process, folder: Path) -> bool:
    """Whether it takes objects; false when it ended."""

    async def probe() -> bool:
        try:
            for bucket in ("imports", "exports"):
                await server.put(bucket, "ready", b"")
        except obstore.exceptions.BaseError:
            return process.returncode is not None
        return True

    try:
        asked: Callable[[], bool | Awaitable[bool]] = probe
        await eventually(asked, READY_SECONDS)
    except AssertionError as late:
        late.add_note((folder / "log").read_text()[-LOG_SHOWN:])
        raise
    return process.returncode is None


def _prepare(folder: Path) -> None:
    folder.mkdir()
    (folder / "s3.json").write_text(json.dumps(IDENTITIES))


def _free_ports(count: int) -> list[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)
