"""Options of the command as fields of the contract. Pure."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from heliograph.cli import limits

if TYPE_CHECKING:
    from google.protobuf.message import Message

Switch = Literal["on", "off"]


def fill(message: "Message", given: Mapping[str, Any]) -> list[str]:
    """Set the fields that are given, by path, as people type them or as messages; their paths.

    None is not given. An empty text takes a setting back, as in an update it is named all the same.
    """
    stated = [path for path, value in given.items() if value is not None]
    for path in stated:
        _put(message, path, given[path])
    return stated


def changes(message: "Message", given: Mapping[str, Any]) -> list[str]:
    """The same of an update: a sentence when nothing is to be changed."""
    paths = fill(message, given)
    if not paths:
        sys.exit("heliograph: nothing is to be changed; see --help for what can be")
    return paths


def pairs(texts: Iterable[str] | None, option: str, example: str) -> dict[str, str] | None:
    """Each `KEY=VALUE`; a sentence if one is none. `--option ''` is no pair at all."""
    if texts is None:
        return None
    found = {}
    for text in filter(None, texts):
        key, equals, value = text.partition("=")
        if not key or not equals:
            sys.exit(f"heliograph: expected {option} as {example}; {text!r} is none")
        found[key] = value
    return found


def _put(message: "Message", path: str, value: Any) -> None:
    name, _, rest = path.partition(".")
    field = message.DESCRIPTOR.fields_by_name[name]
    if rest:
        _put(getattr(message, name), rest, value)
    elif field.message_type and field.message_type.GetOptions().map_entry:
        getattr(message, name).update(value)
    elif field.is_repeated:
        getattr(message, name).extend(_single(field, one) for one in _stated(value))
    elif field.message_type:
        if value:
            whole = _moment_or_duration(field, value) if isinstance(value, str) else value
            getattr(message, name).CopyFrom(whole)
    else:
        setattr(message, name, _single(field, value))


def _stated(values: Sequence[str]) -> list[str]:
    """Repeated options; `--option ''` alone is an empty list."""
    return [value for value in values if value]


def _single(field: Any, value: Any) -> Any:
    if value in ("on", "off") and field.type == field.TYPE_BOOL:
        return value == "on"
    if field.enum_type and value:
        return field.enum_type.values_by_name[word(value)].number
    return 0 if field.enum_type else value


def _moment_or_duration(field: Any, text: str) -> "Message":
    option = f"--{field.name.replace('_', '-')}"
    if field.message_type.name == "Duration":
        return limits.duration(text, option)
    return limits.moment(text, option)


def word(text: str) -> str:
    """What the contract calls a choice of the command."""
    return text.upper().replace("-", "_")
