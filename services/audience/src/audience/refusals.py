"""How this service refuses a value: one field, one reason, one sentence."""

from mesh.errors import Unimplemented, Violation
from mesh.errors.refusals import invalid, shown

__all__ = ["invalid", "shown", "unsupported"]


def unsupported(field: str, reason: str = "FIELD_NOT_SUPPORTED") -> Unimplemented:
    """The refusal of a part of the contract that is not answered here."""
    description = "this part of the contract is not supported"
    return Unimplemented(
        reason,
        f"{field}: {description}",
        violations=[Violation(field, description, reason)],
        field=field,
    )
