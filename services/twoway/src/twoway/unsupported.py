"""Fields of the contract that this release does not act upon are refused, never ignored."""

from google.protobuf.message import Message
from mesh.errors import refusals


def refuse(message: Message, *fields: str) -> None:
    """Refuse (FIELD_NOT_SUPPORTED) a message that sets one of these fields."""
    for field, _ in message.ListFields():
        if field.name in fields:
            raise refusals.unsupported(field.name)
