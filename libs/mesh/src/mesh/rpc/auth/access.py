"""Who may call which method: the role table, and the check of every application in a request."""

import re
from collections.abc import Callable
from typing import TypeAlias

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from mesh.errors import InvalidArgument, PermissionDenied
from mesh.errors.refusals import invalid
from mesh.rpc.auth import fields, identity
from mesh.rpc.auth.identity import ALL, Caller

# Given the caller, a request, and whether it is the first of its call.
Check: TypeAlias = Callable[[Caller, Message, bool], None]

# Methods that begin with one of these words change nothing.
READING = (
    *("BatchGet", "Check", "Count", "Describe", "Estimate", "Explain", "Get", "List", "LookUp"),
    *("Match", "Preview", "Query", "Read", "Render", "Search", "Select", "Simulate", "Stream"),
    *("Summarize", "Validate", "Wait", "Watch"),
)

# A role and the methods it may call. Which applications it may touch is the token's other half.
READERS = frozenset({"admin", "service", "writer", "reader"})
WRITERS = frozenset({"admin", "service", "writer"})
_ADMINS = frozenset({"admin"})

_READING = re.compile(rf"(?:{'|'.join(READING)})(?![a-z])")


def reads_only(method: MethodDescriptor) -> bool:
    """Whether a method changes nothing: it says so (idempotency_level), or its verb does."""
    if method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS:
        return True
    return bool(_READING.match(method.name)) and not method.client_streaming


def allowed_roles(method: MethodDescriptor) -> frozenset[str]:
    """The roles that may call a method."""
    return READERS if reads_only(method) else WRITERS


def check_role(roles: frozenset[str], known: Caller, method: str) -> None:
    """Refuse (ROLE_INSUFFICIENT) a caller that has none of the roles."""
    if roles.isdisjoint(known.roles):
        wanted = ", ".join(sorted(roles))
        raise PermissionDenied(
            "ROLE_INSUFFICIENT",
            f"{known.subject} needs one of the roles {wanted} to call {method}",
            subject=known.subject,
            roles=wanted,
            method=method,
        )


def request_check(method: MethodDescriptor) -> Check:
    """The check of one request of a method against the applications of its caller.

    A request that should name an application and does not is refused; of a stream of requests, the
    first one should. Creating what has no parent (an application itself) needs the role admin.
    Callers of ALL pass.
    """
    plan = fields.plan(method.input_type)
    expected = [name for name, _ in plan.strings if name in ("name", "parent")]
    creates_root = method.name.startswith("Create") and not expected

    def check(known: Caller, request: Message, first: bool) -> None:
        if known.applications is ALL:
            return
        if creates_root:
            check_role(_ADMINS, known, method.name)
            return
        named = False
        for found in fields.names(plan, request):
            identity.check(known, found.name, found.path)
            named = True
        if expected:
            named = any(getattr(request, field) for field in expected)
        if first and plan and not named:
            raise _unnamed(" or ".join(expected) or "name")

    return check


def _unnamed(field: str) -> InvalidArgument:
    description = "the request must name an application"
    return invalid("RESOURCE_NAME_REQUIRED", field, description)
