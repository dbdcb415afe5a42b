"""Reading what belongs to an application that never existed: refused, as writing it is."""

from typing import Any

import pytest
from audience_room import SHOP, Room
from heliograph.audience.v1 import (
    endpoint_service_pb2,
    segment_service_pb2,
    transfer_service_pb2,
    user_service_pb2,
)
from mesh.errors import NotFound

NOWHERE = "applications/nowhere"
FILTER = {"channel": {"operator": "INCLUSIVE", "channel_types": ["SMS"]}}


def reads(room: Room, parent: str) -> list[Any]:
    """Everything that is read a page at a time, of one application."""
    transfers = transfer_service_pb2
    user = f"{parent}/users/ann"
    return [
        room.endpoints.ListEndpoints(endpoint_service_pb2.ListEndpointsRequest(parent=parent)),
        room.segments.ListSegments(segment_service_pb2.ListSegmentsRequest(parent=parent)),
        room.segments.PreviewSegment(
            segment_service_pb2.PreviewSegmentRequest(name=parent, filter=FILTER)
        ),
        room.transfers.ListImportJobs(transfers.ListImportJobsRequest(parent=parent)),
        room.transfers.ListExportJobs(transfers.ListExportJobsRequest(parent=parent)),
        room.users.ListUsers(user_service_pb2.ListUsersRequest(parent=parent)),
        room.users.ListUserEndpoints(user_service_pb2.ListUserEndpointsRequest(parent=user)),
    ]


async def test_what_an_unknown_application_has_is_not_nothing(room: Room) -> None:
    for asked in reads(room, NOWHERE):
        with pytest.raises(NotFound) as refusal:
            await asked
        assert refusal.value.reason == "APPLICATION_NOT_FOUND"


async def test_what_an_empty_application_has_is_nothing(room: Room) -> None:
    for asked in reads(room, SHOP):
        assert not (await asked).ListFields()
