"""Partial updates by field mask (AIP-134, AIP-161), obeying field behaviour (AIP-203).

The generated `FieldMask.MergeMessage` leaves `a.b` untouched when the source has no `a` and knows
no map keys, so the copying is done here.
"""

from collections.abc import Collection
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from mesh.errors import InvalidArgument, Violation

_NOT_WRITABLE = {field_behavior_pb2.OUTPUT_ONLY, field_behavior_pb2.IDENTIFIER}


def apply(
    mask: FieldMask, source: Message, target: Message, *, immutable: Collection[str] = ()
) -> list[str]:
    """Copy the masked fields of `source` into `target`; returns the paths that were copied.

    An empty mask means every field set in `source`; `*` means every field. Output-only fields and
    identifiers are left out silently, as AIP-203 asks. A path that does not exist, and a change of
    a field annotated IMMUTABLE or listed in `immutable`, is refused (INVALID_ARGUMENT).
    """
    paths = effective(mask, source)
    _refuse_changes_of(immutable, paths, source, target)
    for path in paths:
        _copy(path.split("."), source, target)
    return paths


def effective(mask: FieldMask, source: Message) -> list[str]:
    """The writable paths a mask stands for, given the message that carries the new values."""
    descriptor: Any = source.DESCRIPTOR
    if list(mask.paths) == ["*"]:
        paths = [field.name for field in descriptor.fields]
    else:
        paths = list(mask.paths) or [field.name for field, _ in source.ListFields()]
    _refuse_unknown(paths, descriptor)
    return [path for path in paths if not _annotated(descriptor, path, _NOT_WRITABLE)]


def _refuse_unknown(paths: list[str], descriptor: Any) -> None:
    unknown = [path for path in paths if not _fields(descriptor, path)]
    if unknown:
        raise _invalid(unknown, "there is no such field", "FIELD_MASK_INVALID")


def _refuse_changes_of(
    immutable: Collection[str], paths: list[str], source: Message, target: Message
) -> None:
    annotated = {field_behavior_pb2.IMMUTABLE}
    fixed = [
        path
        for path in paths
        if (path in immutable or _annotated(source.DESCRIPTOR, path, annotated))
        and _value(path.split("."), source) != _value(path.split("."), target)
    ]
    if fixed:
        raise _invalid(fixed, "the field cannot be changed", "FIELD_IMMUTABLE")


def _fields(descriptor: Any, path: str) -> list[FieldDescriptor]:
    """The fields a path walks through; empty when it leads nowhere. A map key ends a path."""
    walked: list[FieldDescriptor] = []
    current: Any = descriptor
    parts = path.split(".")
    for position, part in enumerate(parts):
        field = current.fields_by_name.get(part) if current else None
        if field is None:
            return []
        walked.append(field)
        if _is_map(field):
            return walked if len(parts) - position <= 2 else []
        current = None if field.is_repeated else field.message_type
    return walked


def _annotated(descriptor: Any, path: str, behaviours: set[int]) -> bool:
    extension = field_behavior_pb2.field_behavior
    fields = _fields(descriptor, path)
    return any(behaviours & set(field.GetOptions().Extensions[extension]) for field in fields)


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _value(parts: list[str], message: Message) -> object:
    field: Any = message.DESCRIPTOR.fields_by_name[parts[0]]
    value = getattr(message, parts[0])
    if len(parts) == 1:
        return None if field.has_presence and not message.HasField(parts[0]) else value
    return value.get(parts[1]) if _is_map(field) else _value(parts[1:], value)


def _copy(parts: list[str], source: Message, target: Message) -> None:
    name = parts[0]
    field: Any = source.DESCRIPTOR.fields_by_name[name]
    if len(parts) == 1:
        _replace(field, source, target)
    elif _is_map(field):
        _copy_entry(field, parts[1], source, target)
    elif source.HasField(name) or target.HasField(name):
        _copy(parts[1:], getattr(source, name), getattr(target, name))


def _replace(field: FieldDescriptor, source: Message, target: Message) -> None:
    target.ClearField(field.name)
    if field.has_presence and not source.HasField(field.name):
        return
    if field.is_repeated or field.message_type:
        getattr(target, field.name).MergeFrom(getattr(source, field.name))
        if field.has_presence:
            getattr(target, field.name).SetInParent()
    else:
        setattr(target, field.name, getattr(source, field.name))


def _copy_entry(field: Any, key: str, source: Message, target: Message) -> None:
    """One map entry; keys that are not strings cannot be named in a path."""
    ours, theirs = getattr(target, field.name), getattr(source, field.name)
    if key not in theirs:
        ours.pop(key, None)
    elif field.message_type.fields_by_name["value"].message_type:
        ours[key].CopyFrom(theirs[key])
    else:
        ours[key] = theirs[key]


def _invalid(paths: list[str], description: str, reason: str) -> InvalidArgument:
    violations = [Violation(path, description, reason) for path in paths]
    joined = ", ".join(paths)
    return InvalidArgument(reason, f"{joined}: {description}", violations=violations, fields=joined)
