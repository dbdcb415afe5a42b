"""How a store's no is told: who has to do something about it, in words of ours."""

from typing import Final

from mesh.errors import Error, FailedPrecondition, NotFound, PermissionDenied, Unavailable
from mesh.errors.refusals import invalid, shown

_NOT_FOUND: Final = frozenset((404, 410))
_DENIED: Final = frozenset((401, 403, 407))
_CHANGED: Final = frozenset((412, 416))
_PASSING: Final = frozenset((408, 425, 429))
_SERVER_ERRORS: Final = range(500, 600)


def of_status(uri: str, status: int) -> Error:
    """What an HTTP status that is no success means."""
    if status in _NOT_FOUND:
        return NotFound("OBJECT_NOT_FOUND", f"{shown(uri)}: no such object, or bucket", uri=uri)
    if status in _DENIED:
        message = f"{shown(uri)}: the store refuses the credentials that the operator set"
        return FailedPrecondition("OBJECT_STORE_DENIED", message, uri=uri)
    if status in _CHANGED:
        return changed(uri)
    if status in _PASSING or status in _SERVER_ERRORS:
        return unavailable(uri)
    message = f"{shown(uri)}: the store answers {status}; is the region, and the endpoint, right?"
    return FailedPrecondition("OBJECT_STORE_REFUSED", message, uri=uri, status=str(status))


def changed(uri: str) -> Error:
    """The object is another one than the job was made for."""
    message = f"{shown(uri)} is not the object any more that the job was made for"
    return FailedPrecondition("OBJECT_CHANGED", message, uri=uri)


def unavailable(uri: str) -> Error:
    """The store cannot be reached, or answers too late."""
    message = f"{shown(uri)}: the store does not answer"
    return Unavailable("OBJECT_STORE_UNAVAILABLE", message, uri=uri)


def not_trusted(uri: str) -> Error:
    """The server is not who it says."""
    message = f"{shown(uri)}: the certificate of the server cannot be verified"
    return FailedPrecondition("OBJECT_STORE_REFUSED", message, uri=uri)


def not_allowed(reason: str, uri: str, description: str) -> Error:
    """An address that the operator has not opened."""
    return PermissionDenied(reason, f"{shown(uri)}: {description}", uri=uri)


def malformed(description: str) -> Error:
    """A text that is no address."""
    return invalid("OBJECT_URI_INVALID", "uri", description)
