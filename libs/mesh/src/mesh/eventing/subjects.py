"""A message's subject is its full protobuf name and its application: no table of subjects."""

import re

from google.protobuf.message import Message

# What NATS allows in a token and no wildcard or separator (ADR-6).
TOKEN = re.compile(r"[A-Za-z0-9_=/+-]+")


def subject_of(message: Message | type[Message], application: str, suffix: str = "") -> str:
    """`acme.orders.v1.OrderPlaced.<application>[.<suffix>]`.

    Raises ValueError when the application or suffix could not be told from a wildcard.
    """
    for token in (application, *suffix.split(".")) if suffix else (application,):
        if not TOKEN.fullmatch(token):
            raise ValueError(f"{token!r} cannot be a token of a subject")
    return ".".join(part for part in (message.DESCRIPTOR.full_name, application, suffix) if part)
