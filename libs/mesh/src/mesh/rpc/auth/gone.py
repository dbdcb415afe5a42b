"""Nothing is asked of an application that was deleted: refused in one place, for every method."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from mesh.errors import NotFound
from mesh.rpc.auth import fields, identity

RequestCheck: TypeAlias = Callable[[Message], None]


@dataclass(frozen=True)
class Gone:
    """Ids of applications that are gone, as they are at each call, and the methods (or whole
    packages) that may be asked about them all the same."""

    applications: Collection[str] = ()
    answered: frozenset[str] = frozenset({"google.longrunning"})

    def request_check(self, method: MethodDescriptor) -> RequestCheck:
        """The check of one request: NOT_FOUND, reason `APPLICATION_DELETED`."""
        service = method.containing_service
        if self.answered & {service.file.package, f"{service.full_name}/{method.name}"}:
            return _pass
        plan = fields.plan(method.input_type)

        def check(request: Message) -> None:
            if not self.applications:
                return
            for found in fields.names(plan, request):
                application = identity.application_of(found.name) or found.name
                if application in self.applications:
                    raise deleted(application)

        return check


class Services(dict[str, object]):
    """Servicers by service name, together with the applications that they know to be gone."""

    def __init__(self, servicers: Mapping[str, object], gone: Gone) -> None:
        super().__init__(servicers)
        self.gone = gone


def deleted(application: str) -> NotFound:
    """The refusal of whatever is about a deleted application."""
    message = f"applications/{application} was deleted"
    return NotFound("APPLICATION_DELETED", message, application=application)


def _pass(request: Message) -> None:
    """Refuses no request."""
