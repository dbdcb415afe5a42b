"""The caller of the request in work, and what it may touch."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from mesh.errors import InvalidArgument, PermissionDenied, Unauthenticated
from mesh.errors.refusals import invalid


class AllApplications(frozenset[str]):
    """Every application there is or will be; contains any id."""

    def __contains__(self, application: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = AllApplications()

_PREFIX = "applications/"


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified identity: who it is, its application ids (or ALL), its roles, its token."""

    subject: str
    applications: frozenset[str]
    roles: frozenset[str]
    token: str = field(default="", repr=False)

    def may_touch(self, application: str) -> bool:
        """Whether this application id is among the caller's."""
        return application in self.applications


_current: ContextVar[Caller | None] = ContextVar("caller", default=None)


def caller() -> Caller:
    """The caller of the request in work; UNAUTHENTICATED outside of one."""
    found = _current.get()
    if found is None:
        raise Unauthenticated("CALLER_UNKNOWN", "there is no caller here")
    return found


def token() -> str | None:
    """The token of the caller of the request in work, to be passed on to other services."""
    found = _current.get()
    return found.token if found else None


def enter(new: Caller | None) -> None:
    """Make `new` the caller for the rest of this task."""
    _current.set(new)


@contextmanager
def acting_as(new: Caller) -> Iterator[None]:
    """Make `new` the caller inside the block: for work that no request asked for."""
    before = _current.set(new)
    try:
        yield
    finally:
        _current.reset(before)


def authorize(name: str, *, field: str = "name") -> None:
    """Refuse a resource name in an application that is not the caller's.

    PERMISSION_DENIED when it is another's; INVALID_ARGUMENT when no application is in the name.
    """
    check(caller(), name, field)


def check(known: Caller, name: str, field: str) -> None:
    """As `authorize`, for a given caller. Callers of ALL may use any name."""
    if known.applications is ALL:
        return
    application = application_of(name)
    if application is None and "/" not in name and field.endswith(("application", "applications")):
        application = name  # an id alone is enough where nothing but an application can stand
    if application is None:
        raise _nameless(name, field)
    if application not in known.applications:
        raise PermissionDenied(
            "APPLICATION_FORBIDDEN",
            f"{known.subject} may not touch {_PREFIX}{application}",
            subject=known.subject,
            application=application,
        )


def application_of(name: str) -> str | None:
    """The application id in a resource name, None when it begins with no application."""
    if not name.startswith(_PREFIX):
        return None
    return name[len(_PREFIX) :].partition("/")[0] or None


def _nameless(name: str, field: str) -> InvalidArgument:
    description = f"{name!r} does not begin with {_PREFIX}{{application}}"
    return invalid("RESOURCE_NAME_INVALID", field, description, name=name)
