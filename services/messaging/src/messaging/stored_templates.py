"""Stored templates as the pipeline needs them: put into the content that names them."""

from collections.abc import Iterable, Sequence

from heliograph.messaging.v1.content_pb2 import MessageContent
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.messaging.v1.template_pb2 import TemplateContent
from mesh.aip import resource_names
from mesh.errors import NotFound

from messaging.ledger.persistence import Pool
from messaging.names import TEMPLATE, TEMPLATE_VERSION
from messaging.rendering.contents import CompiledContent, compile_content
from messaging.rendering.engine import TemplateError

_READ = """
SELECT t.id, v.version, v.content, v.version = t.active_version AS active
FROM templates t JOIN template_versions v ON v.application = t.application AND v.template_id = t.id
WHERE t.application = $1 AND t.id = ANY($2::text[])
    AND (v.version = t.active_version OR v.version = ANY($3::int[]))
"""

Key = tuple[str, int]
ACTIVE = 0
"""Stands for the active version, whichever it is."""


class StoredTemplates:
    """Reads templates in one query for everything that is asked together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def compiled(
        self, application: str, treatments: Sequence[SendBatch.Treatment]
    ) -> list[CompiledContent | TemplateError]:
        """What each treatment says, compiled, or why it cannot be rendered for anyone."""
        contents = [treatment.content for treatment in treatments]
        stored = await self._read(application, contents)
        return [_compiled(application, content, stored) for content in contents]

    async def complete(self, application: str, content: MessageContent) -> MessageContent:
        """The content with the templates it names put in. Raises TemplateError for one unknown."""
        return merged(application, content, await self._read(application, [content]))

    async def complete_or_refuse(self, application: str, content: MessageContent) -> MessageContent:
        """As `complete`, for requests. Raises NotFound."""
        try:
            return await self.complete(application, content)
        except TemplateError as error:
            raise NotFound("TEMPLATE_NOT_FOUND", str(error)) from None

    async def _read(
        self, application: str, contents: Iterable[MessageContent]
    ) -> dict[Key, TemplateContent]:
        keys = [
            key
            for content in contents
            for name in content.templates
            if (key := key_of(application, name)) is not None
        ]
        if not keys:
            return {}
        ids, versions = [key[0] for key in keys], [key[1] for key in keys]
        stored: dict[Key, TemplateContent] = {}
        for record in await self._pool.fetch(_READ, application, ids, versions):
            content = TemplateContent.FromString(record["content"])
            stored[record["id"], record["version"]] = content
            if record["active"]:
                stored[record["id"], ACTIVE] = content
        return stored


def key_of(application: str, name: str) -> Key | None:
    """Template id and version of a name; None for what is none, or another application's."""
    ids = resource_names.match(TEMPLATE, name) or resource_names.match(TEMPLATE_VERSION, name)
    if ids is None or ids["application"] != application:
        return None
    version = ids.get("version", str(ACTIVE))
    return (ids["template"], int(version)) if version.isdecimal() and len(version) < 8 else None


def merged(
    application: str, content: MessageContent, stored: dict[Key, TemplateContent]
) -> MessageContent:
    """The content with its templates' parts where it has none of its own. Pure."""
    if not content.templates:
        return content
    whole = MessageContent()
    whole.CopyFrom(content)
    whole.ClearField("templates")
    for name in content.templates:
        key = key_of(application, name)
        template = stored.get(key) if key else None
        if template is None:
            raise TemplateError(f"{name} does not exist")
        part = template.WhichOneof("content")
        if part and not whole.HasField(part):
            getattr(whole, part).CopyFrom(getattr(template, part))
        for path, text in template.default_substitutions.items():
            if path not in whole.default_substitutions:
                whole.default_substitutions[path] = text
    return whole


def _compiled(
    application: str, content: MessageContent, stored: dict[Key, TemplateContent]
) -> CompiledContent | TemplateError:
    try:
        return compile_content(merged(application, content, stored))
    except TemplateError as error:
        return error
