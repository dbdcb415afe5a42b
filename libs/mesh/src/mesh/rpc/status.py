"""Errors to google.rpc.Status and back (AIP-193): the one place that translates."""

from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from mesh.errors import BY_CODE, Error, Internal, Violation

Detail = TypeVar("Detail", bound=Message)


def from_error(error: Error, domain: str = "") -> status_pb2.Status:
    """The status of an error: ErrorInfo always, BadRequest and RetryInfo where they apply.

    `domain` is the proto package of the service that answers; an error that came from another
    service keeps the domain it came with.
    """
    status = status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message)
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=error.domain or domain, metadata=error.metadata
    )
    status.details.add().Pack(info)
    if error.violations:
        status.details.add().Pack(_bad_request(error))
    if error.retry_after_seconds is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_after_seconds * 1e9))
        status.details.add().Pack(retry)
    return status


def to_error(status: status_pb2.Status) -> Error:
    """The error a status tells of. Details of other kinds are ignored."""
    kind = BY_CODE.get(_code_name(status.code), Internal)
    info = _detail(status, error_details_pb2.ErrorInfo())
    error = kind(
        info.reason or kind.code,
        status.message,
        violations=_violations(_detail(status, error_details_pb2.BadRequest())),
        retry_after_seconds=_retry_after_seconds(status),
    )
    error.metadata = dict(info.metadata)
    error.domain = info.domain
    return error


def from_rpc_error(failure: grpc.aio.AioRpcError) -> Error:
    """The error behind a failed call, also when it never reached a server of ours."""
    try:
        status = rpc_status.from_call(failure)
    except ValueError:  # trailers that contradict the status line: trust the line
        status = None
    if status is None:
        code: int = failure.code().value[0]
        status = status_pb2.Status(code=code, message=failure.details() or "")
    return to_error(status)


def _bad_request(error: Error) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=violation.field, description=violation.description, reason=violation.reason
            )
            for violation in error.violations
        ]
    )


def _violations(bad_request: error_details_pb2.BadRequest) -> list[Violation]:
    return [
        Violation(violation.field, violation.description, violation.reason)
        for violation in bad_request.field_violations
    ]


def _retry_after_seconds(status: status_pb2.Status) -> float | None:
    retry = _detail(status, error_details_pb2.RetryInfo())
    if not retry.HasField("retry_delay"):
        return None
    return float(retry.retry_delay.ToNanoseconds() / 1e9)


def _detail(status: status_pb2.Status, kind: Detail) -> Detail:
    """The first detail of the kind of the given empty message, read into it."""
    for detail in status.details:
        if detail.Unpack(kind):
            break
    return kind


def _code_name(code: int) -> str:
    return str(code_pb2.Code.Name(code)) if code in code_pb2.Code.values() else "INTERNAL"
