"""A template's verbs: what may be stored, and how versions go. Pure."""

from heliograph.messaging.v1.content_pb2 import MessageContent
from heliograph.messaging.v1.template_pb2 import Template, TemplateContent
from mesh.aip.tables import now
from mesh.errors import FailedPrecondition, InvalidArgument
from mesh.errors.refusals import invalid, unsupported

from messaging import contents
from messaging.rendering.contents import compile_content
from messaging.rendering.engine import TemplateError
from messaging.tables import TemplateRow, TemplateVersionRow

VERSIONS_MAX = 5000
"""As Pinpoint."""


def check(content: TemplateContent, field: str) -> None:
    """Refuses content that does not compile, naming its part."""
    part = content.WhichOneof("content")
    if part is None:
        raise _invalid(field, "a template needs content")
    whole = MessageContent()
    if part in contents.NOT_SUPPORTED:
        raise unsupported(f"{field}.{part}")
    getattr(whole, part).CopyFrom(getattr(content, part))
    try:
        compile_content(whole)
    except TemplateError as error:
        raise _invalid(field, str(error)) from None


def first(application: str, template_id: str, template: Template) -> TemplateRow:
    """A new template; its first version is active."""
    return TemplateRow(
        application=application,
        id=template_id,
        description=template.description,
        tags=dict(template.tags),
    )


def version(row: TemplateRow, template: Template) -> TemplateVersionRow:
    """The latest version, as the template says."""
    return TemplateVersionRow(
        application=row.application,
        template_id=row.id,
        version=row.latest_version,
        content=template.content.SerializeToString(),
        description=template.description,
    )


def add_version(row: TemplateRow) -> None:
    """Makes room for one more version; the active one stays."""
    if row.latest_version >= VERSIONS_MAX:
        raise FailedPrecondition(
            "TEMPLATE_VERSION_LIMIT",
            f"the template has {VERSIONS_MAX} versions already",
            limit=str(VERSIONS_MAX),
        )
    row.latest_version += 1


def touch(row: TemplateRow) -> None:
    """Notes that the template has changed."""
    row.revision += 1
    row.update_time = now()


def _invalid(field: str, description: str) -> InvalidArgument:
    return invalid("TEMPLATE_INVALID", field, description)
