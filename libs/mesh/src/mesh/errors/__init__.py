"""What can go wrong, in the words of google.rpc.Code.

Imports nothing of ours, so that pure rules can refuse without knowing gRPC; `mesh.rpc.status` is
the one place that translates.
"""

# ruff: noqa: N818 - the names are those of google.rpc.Code
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong: its path in the request, a sentence, and a reason to branch on."""

    field: str
    description: str
    reason: str = ""


class Error(Exception):
    """A failure the caller can act on. Anything else is a bug, and becomes INTERNAL.

    `reason` is a value of the service's ErrorReason enum. Every variable word of `message` is also
    in `metadata` (AIP-193). `retry_after_seconds` tells the caller when another try makes sense.
    `domain` names the service that refused; empty means the one that is answering now.
    """

    code: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        reason: str,
        message: str,
        /,
        *,
        violations: Sequence[Violation] = (),
        retry_after_seconds: float | None = None,
        **metadata: str,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.retry_after_seconds = retry_after_seconds
        self.metadata = {key: str(value) for key, value in metadata.items()}
        self.domain = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason!r}, {self.message!r})"


class InvalidArgument(Error):
    """The request is malformed, whatever the state of the system."""

    code = "INVALID_ARGUMENT"


class NotFound(Error):
    """What the request names does not exist."""

    code = "NOT_FOUND"


class AlreadyExists(Error):
    """What the request wants to create is there already."""

    code = "ALREADY_EXISTS"


class FailedPrecondition(Error):
    """The state of the system forbids it; trying again is useless until that state changes."""

    code = "FAILED_PRECONDITION"


class Aborted(Error):
    """Someone else was faster (stale etag, serialisation failure); read again, then try again."""

    code = "ABORTED"


class OutOfRange(Error):
    """Past the valid range, as reading beyond the end."""

    code = "OUT_OF_RANGE"


class PermissionDenied(Error):
    """The caller is known and may not do this."""

    code = "PERMISSION_DENIED"


class Unauthenticated(Error):
    """The caller is not known: no token, or one that does not verify."""

    code = "UNAUTHENTICATED"


class ResourceExhausted(Error):
    """Over a quota or a rate."""

    code = "RESOURCE_EXHAUSTED"


class Unavailable(Error):
    """Something this call needs is away; the same call may succeed later."""

    code = "UNAVAILABLE"


class Unimplemented(Error):
    """The contract has it, this release does not."""

    code = "UNIMPLEMENTED"


class DeadlineExceeded(Error):
    """The time given for the call is over; the outcome is not known."""

    code = "DEADLINE_EXCEEDED"


class Cancelled(Error):
    """The caller gave up."""

    code = "CANCELLED"


class Internal(Error):
    """An invariant is broken on the other side."""

    code = "INTERNAL"


BY_CODE: dict[str, type[Error]] = {
    kind.code: kind
    for kind in (
        InvalidArgument,
        NotFound,
        AlreadyExists,
        FailedPrecondition,
        Aborted,
        OutOfRange,
        PermissionDenied,
        Unauthenticated,
        ResourceExhausted,
        Unavailable,
        Unimplemented,
        DeadlineExceeded,
        Cancelled,
        Internal,
    )
}
