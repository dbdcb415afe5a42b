"""The requests that only read the ledger, into what the ledger is asked. Pure."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from heliograph.messaging.v1 import message_service_pb2 as rpc
from mesh.aip import resource_names
from mesh.errors import NotFound

from messaging import names
from messaging.ledger.queries import Filter
from messaging.ledger.rows import run_below


def filter_of(
    application: str, request: rpc.ListMessagesRequest, after: Sequence[Any] | None
) -> Filter:
    """What a list is narrowed to."""
    return Filter(
        endpoint_id=_endpoint_id(request.endpoint),
        run=run_below(application, request.run),
        address=request.address,
        user_id=request.user_id,
        states=list(request.states),
        reasons=list(request.reasons),
        start_time=request.start_time.ToDatetime(UTC) if request.HasField("start_time") else None,
        end_time=request.end_time.ToDatetime(UTC) if request.HasField("end_time") else None,
        before=UUID(str(after[0])) if after else None,
    )


def counts(records: Sequence[Any]) -> rpc.CountMessagesResponse:
    """A run's counts as they are answered."""
    rows = [
        rpc.CountMessagesResponse.Count(
            treatment=record["treatment"],
            state=record["state"],
            reason=record["reason"],
            count=record["count"],
            parts=record["parts"],
        )
        for record in records
    ]
    return rpc.CountMessagesResponse(counts=rows, total=sum(row.count for row in rows))


def not_found(name: str) -> NotFound:
    """The refusal of a message that the ledger does not have."""
    return NotFound("MESSAGE_NOT_FOUND", f"{name} does not exist", message=name)


def _endpoint_id(name: str) -> str:
    if not name:
        return ""
    return resource_names.parse(names.ENDPOINT, name, field="endpoint")["endpoint"]
