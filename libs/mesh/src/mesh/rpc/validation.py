"""Requests checked against the rules in their protos (protovalidate, google.api.field_behavior)."""

from collections.abc import Callable
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from mesh.errors import InvalidArgument, Violation
from protovalidate import Validator

_VIOLATIONS_MAX = 100
_KEY_SHOWN_MAX = 64

_validator = Validator()


def request_check(kind: type[Message]) -> Callable[[Message], None]:
    """The check of one request type; refuses with INVALID_ARGUMENT and every broken rule.

    Rules are compiled here, so that a rule that does not compile stops the server from starting.
    """
    required = _required_fields(kind.DESCRIPTOR)
    _validator.collect_violations(kind())

    def check(request: Message) -> None:
        missing = [_missing(name) for name in required if not _is_set(request, name)]
        violations = missing + [
            _violation(rule.proto) for rule in _validator.collect_violations(request)
        ]
        if violations:
            raise _invalid(violations[:_VIOLATIONS_MAX])

    return check


def _required_fields(descriptor: Any) -> list[str]:
    """REQUIRED fields whose absence can be seen; zero and false are values (AIP-203)."""
    seen = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM)
    return [
        field.name
        for field in descriptor.fields
        if field_behavior_pb2.REQUIRED
        in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        and (field.is_repeated or field.has_presence or field.type in seen)
    ]


def _is_set(request: Message, name: str) -> bool:
    field = request.DESCRIPTOR.fields_by_name[name]
    return request.HasField(name) if field.has_presence else bool(getattr(request, name))


def _missing(name: str) -> Violation:
    return Violation(name, "the field is required", "REQUIRED")


def _violation(broken: Any) -> Violation:
    # The only value that an enumeration forbids is the one of who has not chosen.
    message = "must be stated" if broken.rule_id == "enum.not_in" else broken.message
    return Violation(_path(broken), message or broken.rule_id, broken.rule_id)


def _invalid(violations: list[Violation]) -> InvalidArgument:
    first = violations[0]
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return InvalidArgument(
        "REQUEST_INVALID",
        f"{first.field or 'request'}: {first.description}{more}",
        violations=violations,
        field=first.field,
    )


def _path(broken: Any) -> str:
    """The field as people write it: `endpoints[3].attributes["color"]`; map keys are cut short."""
    elements = broken.field.elements if broken.field else ()
    return ".".join(element.field_name + _subscript(element.subscript) for element in elements)


def _subscript(chosen: Any) -> str:
    if chosen is None:
        return ""
    value = chosen.value
    return f'["{value[:_KEY_SHOWN_MAX]}"]' if isinstance(value, str) else f"[{value}]"
