"""What may be said: refusing, at the door, content that could not be sent. Pure."""

from heliograph.messaging.v1.content_pb2 import MessageContent
from mesh.errors.refusals import invalid, unsupported

from messaging.rendering.contents import CompiledContent, compile_content
from messaging.rendering.engine import TemplateError

NOT_SUPPORTED = ("voice", "in_app", "custom")
"""Parts of content that this release does not send."""


def check(content: MessageContent, field: str = "content") -> CompiledContent:
    """The compiled content. Raises InvalidArgument, or Unimplemented naming the field."""
    for part in NOT_SUPPORTED:
        if content.HasField(part):  # type: ignore[arg-type]  # names of fields
            raise unsupported(f"{field}.{part}")
    _check_origination(content.origination_identity, f"{field}.origination_identity")
    _check_origination(content.sms.origination_identity, f"{field}.sms.origination_identity")
    try:
        return compile_content(content)
    except TemplateError as error:
        raise invalid("TEMPLATE_INVALID", field, str(error)) from None


def _check_origination(origination: str, field: str) -> None:
    """A pool would have to choose a number for each recipient."""
    if origination.startswith("applications/") and "/pools/" in origination:
        raise unsupported(field)
