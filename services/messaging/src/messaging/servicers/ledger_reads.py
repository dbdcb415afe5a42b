"""The requests that only read the ledger, into what the ledger is asked. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.message_pb2 import Message
from mesh.aip import resource_names
from mesh.errors import NotFound

from messaging import names
from messaging.ledger import answered
from messaging.ledger.queries import Filter
from messaging.ledger.rows import Row, run_below, run_name
from messaging.ledger.threads import Thread


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
        start_time=_time(request, "start_time"),
        end_time=_time(request, "end_time"),
        before=UUID(str(after[0])) if after else None,
    )


def thread_of(request: rpc.ListThreadMessagesRequest, after: Sequence[Any] | None) -> Thread:
    """The thread that is asked for, from where the page before ended."""
    return Thread(
        origination=request.origination_identity,
        address=request.address,
        start_time=_time(request, "start_time"),
        end_time=_time(request, "end_time"),
        oldest_first=request.oldest_first,
        beyond=(datetime.fromisoformat(str(after[0])), UUID(str(after[1]))) if after else None,
    )


def texts(request: rpc.FindAnsweredMessagesRequest) -> list[answered.Text]:
    """What may answer messages."""
    return [
        answered.Text(
            text.source_address, text.destination_address, text.receive_time.ToDatetime(UTC)
        )
        for text in request.texts
    ]


def answered_message(
    application: str, row: Row | None
) -> rpc.FindAnsweredMessagesResponse.AnsweredMessage:
    """The message that a text answers; empty for one that answers none."""
    if row is None:
        return rpc.FindAnsweredMessagesResponse.AnsweredMessage()
    if row.state == Message.HANDING:
        return rpc.FindAnsweredMessagesResponse.AnsweredMessage(undecided=True)
    endpoint = names.ENDPOINT.format(application=application, endpoint=row.endpoint_id)
    return rpc.FindAnsweredMessagesResponse.AnsweredMessage(
        message=names.MESSAGE.format(application=application, message=row.message_id),
        run=run_name(application, row.run),
        endpoint=endpoint if row.endpoint_id else "",
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


def _time(request: Any, field: str) -> datetime | None:
    return getattr(request, field).ToDatetime(UTC) if request.HasField(field) else None


def _endpoint_id(name: str) -> str:
    if not name:
        return ""
    return resource_names.parse(names.ENDPOINT, name, field="endpoint")["endpoint"]
