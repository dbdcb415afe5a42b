"""The servicers of this room by the names of their services."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import grpc
from google.longrunning import operations_pb2
from heliograph.audience.v1 import (
    application_service_pb2,
    endpoint_service_pb2,
    segment_service_pb2,
    transfer_service_pb2,
    user_service_pb2,
)
from mesh.aip.operations_servicer import OperationsServicer
from mesh.rpc.auth.gone import Gone, Services
from mesh.store.tombstones import Tombstones
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.applications.directory import Directory
from audience.applications.servicer import ApplicationServicer
from audience.eligibility.eligibility import Eligibility
from audience.eligibility.neighbours import Neighbours
from audience.endpoints.queries import Pool
from audience.endpoints.servicer import EndpointServicer
from audience.segments.asking import WINDOW_SIZES, WindowSizes
from audience.segments.servicer import SegmentServicer
from audience.segments.sets import Analytics
from audience.settings import Settings
from audience.transfers.members import Members
from audience.transfers.servicer import TransferServicer
from audience.users.servicer import UserServicer

ANSWERED = Gone.answered | {"heliograph.audience.v1.ApplicationService/DeleteApplication"}
"""What may be asked about a deleted application: how far its erasure is."""


def services(
    settings: Settings,
    sessions: async_sessionmaker[AsyncSession],
    pool: Pool,
    analytics: grpc.aio.Channel,
    neighbours: Neighbours,
    now: Callable[[], datetime],
    gone: Tombstones | None = None,
    deleted: Callable[[], Awaitable[None]] | None = None,
    erased: Callable[[], None] = lambda: None,
    window_sizes: WindowSizes = WINDOW_SIZES,
) -> Services:
    """Every service of the contract. `deleted` is called when an application was buried; by
    default, it is only refused from then on; `erased` when a person was."""
    directory = Directory(sessions)
    gone = gone if gone is not None else Tombstones(sessions)
    applications = ApplicationServicer(sessions, now, deleted or gone.refresh)
    segments = SegmentServicer(sessions, pool, Analytics(analytics), now, window_sizes)
    eligibility = Eligibility(pool, neighbours, segments.CheckMembers, now)
    served = {
        _name(application_service_pb2, "ApplicationService"): applications,
        _name(endpoint_service_pb2, "EndpointService"): EndpointServicer(
            sessions, pool, directory, eligibility, now
        ),
        _name(user_service_pb2, "UserService"): UserServicer(
            sessions, pool, directory, now, erased
        ),
        _name(segment_service_pb2, "SegmentService"): segments,
        _name(transfer_service_pb2, "TransferService"): TransferServicer(
            settings, sessions, directory, Members(segments, pool), now
        ),
        _name(operations_pb2, "Operations"): OperationsServicer(sessions),
    }
    return Services(served, Gone(gone, ANSWERED))


def _name(module: Any, service: str) -> str:
    full_name: str = module.DESCRIPTOR.services_by_name[service].full_name
    return full_name
