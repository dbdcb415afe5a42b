"""Where a request names resources: found once per message type, walked at each call.

Looked at are `name`, `parent`, `names` and `application` of a request, the `name` of every nested
resource, and every string annotated google.api.resource_reference, however deep or repeated.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from google.api import resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_TOP_LEVEL = {"name", "parent", "names", "application", "applications"}


class Named(NamedTuple):
    """A resource name in a request: the path of the field it stands in, and the name."""

    path: str
    name: str


class Plan:
    """Where a message of one type can name resources: in strings of its own, or further inside."""

    __slots__ = ("inner", "strings")

    def __init__(self) -> None:
        self.strings: list[tuple[str, bool]] = []
        self.inner: list[tuple[str, str, Plan]] = []

    def __bool__(self) -> bool:
        return bool(self.strings or self.inner)


def names(plan: Plan, message: Message, path: str = "") -> Iterator[Named]:
    """Every resource name that is set in `message`."""
    for field, repeated in plan.strings:
        value = getattr(message, field)
        for name in value if repeated else (value,):
            if name:
                yield Named(path + field, name)
    for field, kind, inner in plan.inner:
        for nested in _nested(message, field, kind):
            yield from names(inner, nested, f"{path}{field}.")


def _nested(message: Message, field: str, kind: str) -> Iterator[Message]:
    if kind == "map":
        yield from getattr(message, field).values()
    elif kind == "repeated":
        yield from getattr(message, field)
    elif message.HasField(field):
        yield getattr(message, field)


@cache
def plan(request: Descriptor) -> Plan:
    """The plan of a request type. Types that cannot lead to a name are left out of it."""
    reached: dict[str, Plan] = {}
    root = _explore(request, reached, top_level=True)
    _prune(reached, root)
    return root


def _explore(descriptor: Descriptor, reached: dict[str, Plan], *, top_level: bool) -> Plan:
    """Plans of this type and of all it contains; types may contain themselves."""
    found = reached[descriptor.full_name] = Plan()
    is_resource = bool(descriptor.GetOptions().Extensions[resource_pb2.resource].type)
    for field in descriptor.fields:
        if _names_a_resource(field, top_level, is_resource):
            found.strings.append((field.name, field.is_repeated))
        kind, inner = _kind(field)
        if inner is not None:
            known = reached.get(inner.full_name)
            deeper = top_level and inner.name.endswith("Request")
            if known is None:
                known = _explore(inner, reached, top_level=deeper)
            found.inner.append((field.name, kind, known))
    return found


def _names_a_resource(field: FieldDescriptor, top_level: bool, is_resource: bool) -> bool:
    if field.type != FieldDescriptor.TYPE_STRING:
        return False
    reference = field.GetOptions().Extensions[resource_pb2.resource_reference]
    if reference.type or reference.child_type:
        return True
    return (top_level and field.name in _TOP_LEVEL) or (is_resource and field.name == "name")


def _kind(field: FieldDescriptor) -> tuple[str, Descriptor | None]:
    entry = field.message_type
    if entry is None:
        return "single", None
    if entry.GetOptions().map_entry:
        return "map", entry.fields_by_name["value"].message_type
    return ("repeated" if field.is_repeated else "single"), entry


def _prune(reached: dict[str, Plan], root: Plan) -> None:
    """Keep only the ways that end at a name. Growing from the ends copes with cycles."""
    useful = {id(found) for found in reached.values() if found.strings}
    grown = -1
    while grown != len(useful):
        grown = len(useful)
        for found in reached.values():
            if any(id(inner) in useful for _, _, inner in found.inner):
                useful.add(id(found))
    for found in (root, *reached.values()):
        found.inner = [way for way in found.inner if id(way[2]) in useful]
