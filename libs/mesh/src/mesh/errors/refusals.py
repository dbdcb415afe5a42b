"""How a value is refused: one field, one reason, one sentence."""

from mesh.errors import InvalidArgument, Unimplemented, Violation

SHOWN_CHARACTERS_MAX = 60


def invalid(reason: str, field: str, description: str, **metadata: str) -> InvalidArgument:
    """The refusal of one value; `field` is its path in the request or the resource."""
    return InvalidArgument(
        reason,
        f"{field}: {description}" if field else description,
        violations=[Violation(field, description, reason)],
        retry_after_seconds=None,
        field=field,
        **metadata,
    )


def unsupported(field: str, reason: str = "FIELD_NOT_SUPPORTED") -> Unimplemented:
    """The refusal of a part of the contract that would otherwise be ignored."""
    description = "this part of the contract is not supported"
    return Unimplemented(
        reason,
        f"{field}: {description}",
        violations=[Violation(field, description, reason)],
        field=field,
    )


def shown(text: str) -> str:
    """A value as an error shows it: quoted, and cut when long."""
    cut = text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}…"
    return repr(cut)
