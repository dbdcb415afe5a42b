"""What may be said: refusing, at the door, content that could not be sent. Pure."""

from heliograph.messaging.v1.content_pb2 import MessageContent
from mesh.errors import InvalidArgument, Unimplemented, Violation

from messaging.rendering.contents import CompiledContent, compile_content
from messaging.rendering.engine import TemplateError

NOT_SUPPORTED = ("voice", "in_app", "custom")
"""Parts of content that this release does not send."""


def check(content: MessageContent, field: str = "content") -> CompiledContent:
    """The compiled content. Raises InvalidArgument, or Unimplemented naming the field."""
    for part in NOT_SUPPORTED:
        if content.HasField(part):  # type: ignore[arg-type]  # names of fields
            raise not_supported(f"{field}.{part}")
    _check_origination(content.origination_identity, f"{field}.origination_identity")
    _check_origination(content.sms.origination_identity, f"{field}.sms.origination_identity")
    try:
        return compile_content(content)
    except TemplateError as error:
        description = str(error)
        raise InvalidArgument(
            "TEMPLATE_INVALID",
            f"{field}: {description}",
            violations=[Violation(field, description, "TEMPLATE_INVALID")],
            field=field,
        ) from None


def not_supported(field: str) -> Unimplemented:
    """The refusal of a field that would otherwise be ignored."""
    return Unimplemented(
        "FIELD_NOT_SUPPORTED",
        f"{field} is not supported by this release",
        violations=[Violation(field, "not supported by this release", "FIELD_NOT_SUPPORTED")],
        field=field,
    )


def _check_origination(origination: str, field: str) -> None:
    """A pool would have to choose a number for each recipient."""
    if origination.startswith("applications/") and "/pools/" in origination:
        raise not_supported(field)
