"""What a call can fail with: the code, the reason and the fields of google.rpc.Status."""

from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2
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
    reason, metadata, retry_after_seconds = "", {}, None
    violations: list[Violation] = []
    status = rpc_status.from_call(failure)  # type: ignore[arg-type]  # an AioRpcError reads like a call
    for detail in status.details if status else ():
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
        failure.code().name,
        failure.details() or failure.code().name,
        reason=reason,
        metadata=metadata,
        violations=tuple(violations),
        retry_after_seconds=retry_after_seconds,
    )
