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
    try:
        return compile_content(content)
    except TemplateError as error:
        raise invalid("TEMPLATE_INVALID", field, str(error)) from None


def check_pools(application: str, content: MessageContent) -> None:
    """Refuse (APPLICATION_MISMATCH) that texts come from a pool of another application."""
    for origination, field in (
        (content.origination_identity, "content.origination_identity"),
        (content.sms.origination_identity, "content.sms.origination_identity"),
    ):
        is_pool = origination.startswith("applications/") and "/pools/" in origination
        if is_pool and not origination.startswith(f"applications/{application}/"):
            raise invalid(
                "APPLICATION_MISMATCH", field, "is of another application", name=origination
            )
