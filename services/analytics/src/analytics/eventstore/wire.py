"""How ClickHouse is told to read protobuf: a self-contained schema made from our descriptors."""

from collections.abc import Iterator
from functools import lru_cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_SCALARS = {
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    # Numbers travel as they are, so that a value added later is no error here.
    FieldDescriptor.TYPE_ENUM: "int32",
}


def settings(message_type: type[Message]) -> dict[str, str]:
    """ClickHouse settings of an insert whose rows are messages of this type (`FORMAT Protobuf`)."""
    descriptor: Descriptor = message_type.DESCRIPTOR  # type: ignore[assignment]  # upb's own class
    return {
        "format_schema_source": "string",
        "format_schema": schema(descriptor),
        "format_schema_message_name": _flat(descriptor),
    }


def schema(descriptor: Descriptor) -> str:
    """The type and all it contains, as one .proto text without packages and imports."""
    messages = {found.full_name: found for found in _reached(descriptor, set())}
    return 'syntax = "proto3";' + "".join(_message(found) for found in messages.values())


def delimited(messages: list[bytes]) -> bytes:
    """Serialised messages as rows of `FORMAT Protobuf`: each after its length as a varint."""
    return b"".join(part for message in messages for part in (varint(len(message)), message))


@lru_cache(maxsize=65_536)
def varint(number: int) -> bytes:
    """A number of protobuf's wire format."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _reached(descriptor: Descriptor, seen: set[str]) -> Iterator[Descriptor]:
    if descriptor.full_name in seen:
        return
    seen.add(descriptor.full_name)
    yield descriptor
    for field in descriptor.fields:
        inner = field.message_type
        if inner is not None and not inner.GetOptions().map_entry:
            yield from _reached(inner, seen)


def _message(descriptor: Descriptor) -> str:
    fields = " ".join(
        f"{_type(field)} {field.name} = {field.number};" for field in descriptor.fields
    )
    return f" message {_flat(descriptor)} {{ {fields} }}"


def _type(field: FieldDescriptor) -> str:
    inner = field.message_type
    if inner is None:
        return f"{'repeated ' if field.is_repeated else ''}{_SCALARS[field.type]}"
    if inner.GetOptions().map_entry:
        key, value = inner.fields_by_name["key"], inner.fields_by_name["value"]
        return f"map<{_type(key)}, {_type(value)}>"
    return f"{'repeated ' if field.is_repeated else ''}{_flat(inner)}"


def _flat(descriptor: Descriptor) -> str:
    name: str = descriptor.full_name.replace(".", "_")
    return name
