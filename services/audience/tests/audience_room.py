"""This room in one process: its front door, its stubs, and a worker to be stepped."""

import base64
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audience.eligibility.neighbours import Neighbours
from audience.persons import hashes
from audience.removals import removing
from audience.segments.asking import WINDOW_SIZES
from audience.segments.servicer import SegmentServicer
from audience.segments.sets import Analytics
from audience.services import services
from audience.settings import Settings
from audience.transfers import exporting
from audience.transfers.importing import kind
from audience.transfers.limits import Limits
from audience.transfers.members import Members
from audience.transfers.worker import Worker
from google.longrunning import operations_pb2, operations_pb2_grpc
from heliograph.audience.v1 import (
    application_service_pb2,
    application_service_pb2_grpc,
    endpoint_pb2,
    endpoint_service_pb2,
    endpoint_service_pb2_grpc,
    import_job_pb2,
    segment_filter_pb2,
    segment_pb2,
    segment_service_pb2,
    segment_service_pb2_grpc,
    transfer_service_pb2,
    transfer_service_pb2_grpc,
    user_service_pb2_grpc,
)
from mesh.eventing.outbox import OutboxRow
from mesh.objects.opening import Objects
from mesh.objects.places import ObjectPlace
from mesh.objects.stores import Patience
from mesh.testkit.rpc import RpcConnect, RpcServe
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

SHOP = "applications/shop"
NOBODY = "127.0.0.1:1"
"""An address at which nobody answers."""
UPLOAD_BYTES_MAX = 1_000_000
UNPACKED_BYTES_MAX = 100_000_000
ERASURE_KEY = base64.b64encode(bytes(range(32))).decode()


class Room:
    """Everything of audience, asked as an administrator unless another token is given."""

    def __init__(
        self,
        database_url: str,
        sessions: async_sessionmaker[AsyncSession],
        reading: Any,
        serve: RpcServe,
        connect: RpcConnect,
        import_folder: Path,
        analytics_address: str = NOBODY,
        town_address: str = NOBODY,
    ) -> None:
        self.sessions = sessions
        self.import_folder = import_folder
        self.export_folder = import_folder / "exports"
        self.analytics_address = analytics_address
        self.town_address = town_address
        self.limits = Limits(UNPACKED_BYTES_MAX)
        self.object_stores: tuple[ObjectPlace, ...] = ()
        self.patience = Patience()
        self.window_sizes = WINDOW_SIZES
        self.erasure_key = ERASURE_KEY
        self.worker = self.another_worker(database_url)
        self._database_url = database_url
        self._reading = reading
        self._serve = serve
        self._connect = connect
        self.exporter = self.another_exporter(database_url, reading)

    def another_worker(self, database_url: str) -> Worker:
        """Runs imports, as a replica would."""
        return Worker(
            database_url,
            self.sessions,
            kind(
                self.sessions,
                self.now,
                self.limits,
                Objects(self.object_stores, self.patience),
            ),
        )

    def another_exporter(
        self, database_url: str, reading: Any, page_size: int = 1000, progress_endpoints: int = 1000
    ) -> Worker:
        """Runs exports, as a replica would."""
        analytics = Analytics(self._connect(self.analytics_address))
        segments = SegmentServicer(self.sessions, reading, analytics, self.now)
        return Worker(
            database_url,
            self.sessions,
            exporting.kind(
                *(self.sessions, Members(segments, reading, page_size=page_size), self.now),
                Objects(self.object_stores, self.patience),
                progress_endpoints=progress_endpoints,
            ),
        )

    def limit(self, **limits: int) -> None:
        """Read files within these limits from now on."""
        self.limits = self.limits._replace(**limits)
        self.worker = self.another_worker(self._database_url)

    def workers(self) -> list[Worker]:
        """One of each kind, to be run."""
        remover = Worker(self._database_url, self.sessions, removing.kind(self.sessions))
        return [self.worker, self.exporter, remover]

    async def open(self) -> None:
        """Serve, and make the application `shop`."""
        await self.serve()
        await self.create_application("shop")

    async def restart(self) -> None:
        """Serve and work with what is set by now."""
        await self.serve()
        self.worker = self.another_worker(self._database_url)
        self.exporter = self.another_exporter(self._database_url, self._reading)

    async def serve(self) -> None:
        """Serve what was given, as an administrator sees it."""
        hashes.use(self.erasure_key)
        settings = Settings(
            import_folder=str(self.import_folder),
            export_folder=str(self.export_folder),
            upload_bytes_max=UPLOAD_BYTES_MAX,
            object_stores=self.object_stores,
        )
        analytics = self._connect(self.analytics_address)
        town = self._connect(self.town_address)
        neighbours = Neighbours.of(town, town, town)
        served = services(
            *(settings, self.sessions, self._reading, analytics, neighbours, self.now),
            window_sizes=self.window_sizes,
        )
        self.address = await self._serve(served)
        self.use(None)

    def use(self, token: str | None) -> None:
        """Speak with this token from now on."""
        channel = self._connect(self.address, token=token)
        self.applications = application_service_pb2_grpc.ApplicationServiceStub(channel)
        self.endpoints = endpoint_service_pb2_grpc.EndpointServiceStub(channel)
        self.users = user_service_pb2_grpc.UserServiceStub(channel)
        self.segments = segment_service_pb2_grpc.SegmentServiceStub(channel)
        self.transfers = transfer_service_pb2_grpc.TransferServiceStub(channel)
        self.operations = operations_pb2_grpc.OperationsStub(channel)

    def now(self) -> datetime:
        """This moment."""
        return datetime.now(UTC)

    async def create_application(self, application: str) -> Any:
        """A new application."""
        return await self.applications.CreateApplication(
            application_service_pb2.CreateApplicationRequest(
                application_id=application, application={}
            )
        )

    async def write(self, endpoint: str, **fields: Any) -> endpoint_pb2.Endpoint:
        """Upsert an endpoint of `shop`."""
        return await self.endpoints.UpdateEndpoint(
            endpoint_service_pb2.UpdateEndpointRequest(
                endpoint={"name": f"{SHOP}/endpoints/{endpoint}", **fields}, allow_missing=True
            )
        )

    async def read(self, endpoint: str) -> endpoint_pb2.Endpoint:
        """An endpoint of `shop`."""
        return await self.endpoints.GetEndpoint(
            endpoint_service_pb2.GetEndpointRequest(name=f"{SHOP}/endpoints/{endpoint}")
        )

    async def listed(self) -> list[str]:
        """Ids of the endpoints of `shop`, at most a thousand."""
        answer = await self.endpoints.ListEndpoints(
            endpoint_service_pb2.ListEndpointsRequest(parent=SHOP, page_size=1000)
        )
        return [one.name.rpartition("/")[2] for one in answer.endpoints]

    async def create_segment(self, question: Any, segment_id: str = "") -> segment_pb2.Segment:
        """A segment of `shop`."""
        return await self.segments.CreateSegment(
            segment_service_pb2.CreateSegmentRequest(
                parent=SHOP,
                segment_id=segment_id,
                segment=segment_pb2.Segment(filter=segment_filter_pb2.SegmentFilter(**question)),
            )
        )

    async def upload(
        self,
        data: bytes,
        *,
        file_name: str = "people.csv",
        request_id: str = "",
        size: int = 1000,
        spec: dict[str, Any] | None = None,
    ) -> operations_pb2.Operation:
        """Upload a file in messages of `size` bytes."""
        header = {"file_name": file_name, "request_id": request_id, "spec": spec}

        async def requests() -> AsyncIterator[transfer_service_pb2.UploadEndpointsRequest]:
            yield transfer_service_pb2.UploadEndpointsRequest(parent=SHOP, header=header)
            for begin in range(0, len(data), size):
                chunk = data[begin : begin + size]
                yield transfer_service_pb2.UploadEndpointsRequest(parent=SHOP, chunk=chunk)

        return await self.transfers.UploadEndpoints(requests())

    async def work(self) -> None:
        """Run every job that is open."""
        for worker in self.workers():
            while await worker.step():
                pass

    async def imported(self, data: bytes, **options: Any) -> import_job_pb2.ImportJob:
        """Upload a file and run the job; the job as it ended."""
        operation = await self.upload(data, **options)
        await self.work()
        return await self.job(operation)

    async def job(self, operation: operations_pb2.Operation) -> import_job_pb2.ImportJob:
        """The job of an operation, as the operation tells it."""
        asked = operations_pb2.GetOperationRequest(name=operation.name)
        job = import_job_pb2.ImportJob()
        (await self.operations.GetOperation(asked)).metadata.Unpack(job)
        return job

    async def failures(self, job: str) -> list[tuple[int, str, str]]:
        """Line, field and reason of every refused row."""
        answer = await self.transfers.ListImportFailures(
            transfer_service_pb2.ListImportFailuresRequest(parent=job, page_size=1000)
        )
        return [(one.line, one.field, one.reason) for one in answer.import_failures]

    async def announced(self, kind: Any) -> list[Any]:
        """Events of a kind that wait to be published."""
        pattern = f"{kind.DESCRIPTOR.full_name}.%"
        query = select(OutboxRow).where(col(OutboxRow.subject).like(pattern))
        async with self.sessions() as session:
            rows = (await session.exec(query.order_by(col(OutboxRow.id)))).all()
        return [kind.FromString(row.payload) for row in rows]


def name(endpoint: str) -> str:
    """The name of an endpoint of `shop`."""
    return f"{SHOP}/endpoints/{endpoint}"


def values(**attributes: Iterable[str]) -> dict[str, Any]:
    """Attributes as constructor arguments."""
    return {key: {"values": list(listed)} for key, listed in attributes.items()}
