"""What a call can fail with: the code, the reason and the fields of google.rpc.Status."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status


@dataclass(frozen=True)
class Violation:
    """One field that is wrong: its path in the request, and what was expected."""

    field: str
    description: str


class HeliographError(Exception):
    """A call that the mesh refused or could not answer.

    `code` is a google.rpc.Code by name, `reason` a value of the service's ErrorReason enum,
    `metadata` holds every variable word of the message (AIP-193), and `violations` the fields.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = metadata or {}
        self.violations = violations
        self.retry_after_seconds = retry_after_seconds


def from_rpc_error(failure: grpc.aio.AioRpcError) -> HeliographError:
    """The failure of a call with its details unpacked."""
    status = rpc_status.from_call(failure)  # type: ignore[arg-type]  # an AioRpcError reads like a call
    message = failure.details() or failure.code().name
    return _error(failure.code().name, message, status.details if status else ())


def from_status(status: Status) -> HeliographError:
    """The failure of long work, as its operation has it, with its details unpacked."""
    code = next(one.name for one in grpc.StatusCode if one.value[0] == status.code)
    return _error(code, status.message, status.details)


def _error(code: str, message: str, details: Iterable[Any]) -> HeliographError:
    reason, metadata, retry_after_seconds = "", {}, None
    violations: list[Violation] = []
    for detail in details:
        info = error_details_pb2.ErrorInfo()
        bad_request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad_request):
            violations += [
                Violation(violation.field, violation.description)
                for violation in bad_request.field_violations
            ]
        elif detail.Unpack(retry):
            retry_after_seconds = retry.retry_delay.ToTimedelta().total_seconds()
    return HeliographError(
        code,
        message,
        reason=reason,
        metadata=metadata,
        violations=tuple(violations),
        retry_after_seconds=retry_after_seconds,
    )
