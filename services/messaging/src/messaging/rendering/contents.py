"""A message's content, compiled: one function per channel that renders it for a recipient."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from heliograph.addresses import PUSH_CHANNELS
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.content_pb2 import (
    EmailContent,
    MessageContent,
    PushContent,
    SmsContent,
)
from mesh.sms import segment

from messaging.channels.outgoing import Rendered, RenderedEmail, RenderedPush, RenderedSms
from messaging.rendering import languages, paths
from messaging.rendering.engine import Scope, Template, TemplateEngine, TemplateError, Texts
from messaging.rendering.handlebars import HandlebarsEngine

SMS_LENGTH_MAX = 1600
"""Characters of a rendered text message (as Pinpoint)."""

ENGINE: TemplateEngine = HandlebarsEngine()

Render = Callable[[Scope], Rendered]


class NothingSaidError(TemplateError):
    """Without values for its variables, a text is empty."""


@dataclass(frozen=True, slots=True)
class Part:
    """One channel's content: how it is rendered, the templates in it, and where it comes from when
    it says so."""

    render: Render
    sources: tuple[str, ...]
    origination: str = ""


@dataclass(frozen=True, slots=True)
class CompiledContent:
    """What is said, by channel, with the texts for variables that a recipient lacks."""

    parts: Mapping[ChannelType.ValueType, Part]
    defaults: Texts
    fail_on_missing: bool


def compile_content(content: MessageContent) -> CompiledContent:
    """Compiles every part that this release can send. Raises TemplateError naming the field.

    The same content is compiled once; the newest few hundred are kept.
    """
    return _compile(content.SerializeToString(deterministic=True))


def parse_texts(texts: Mapping[str, str]) -> Texts:
    """Texts by path. A key that is not a path is taken as the name of a variable."""
    return {paths.parse(key) or (key,): text for key, text in texts.items()}


@lru_cache(maxsize=512)
def _compile(serialized: bytes) -> CompiledContent:
    content = MessageContent.FromString(serialized)
    parts: dict[ChannelType.ValueType, Part] = {}
    if content.HasField("sms"):
        parts[ChannelType.SMS] = _sms(content.sms, content.origination_identity)
    if content.HasField("email"):
        parts[ChannelType.EMAIL] = _email(content.email)
    if content.HasField("push"):
        parts |= dict.fromkeys(PUSH_CHANNELS, _push(content.push))
    return CompiledContent(
        parts=parts,
        defaults=parse_texts(content.default_substitutions),
        fail_on_missing=content.missing_variable == MessageContent.FAIL,
    )


def _sms(content: SmsContent, origination: str) -> Part:
    fallback = _template("sms.body", content.body)
    body = languages.choosing(
        {
            language: _template(f"sms.localized_bodies.{language}", text)
            for language, text in content.localized_bodies.items()
        },
        fallback,
    )
    time_to_live_seconds = _seconds(content.time_to_live)

    def render(scope: Scope) -> Rendered:
        text = body(scope)
        if not text:
            raise NothingSaidError("sms.body: nothing is left of it")
        if not 0 < len(text) <= SMS_LENGTH_MAX:
            raise TemplateError(f"sms.body: {len(text)} characters, allowed are 1 to 1600")
        return RenderedSms(text, segment(text), time_to_live_seconds)

    sources = (content.body, *content.localized_bodies.values())
    return Part(render, sources, origination or content.origination_identity)


def _email(content: EmailContent) -> Part:
    subject = _template("email.subject", content.subject)
    text_body = _template("email.text_body", content.text_body)
    html_body = _template("email.html_body", content.html_body, html=True)
    reply_to = tuple(content.reply_to_addresses)
    headers = tuple(sorted(content.headers.items()))

    def render(scope: Scope) -> Rendered:
        return RenderedEmail(
            # A line break in a value would add headers.
            subject=" ".join(subject(scope).split()),
            text_body=text_body(scope),
            html_body=html_body(scope),
            reply_to_addresses=reply_to,
            headers=headers,
        )

    sources = (content.subject, content.text_body, content.html_body)
    return Part(render, sources, content.from_address)


def _push(content: PushContent) -> Part:
    title = _template("push.title", content.title)
    body = _template("push.body", content.body)
    url = _template("push.url", content.url)
    data = {key: _template(f"push.data.{key}", text) for key, text in content.data.items()}
    raw = json_format.MessageToDict(content.raw)
    time_to_live_seconds = _seconds(content.time_to_live)

    def render(scope: Scope) -> Rendered:
        return RenderedPush(
            title=title(scope),
            body=body(scope),
            url=url(scope),
            image_url=content.image_url,
            data={key: template(scope) for key, template in data.items()},
            silent=content.silent,
            time_to_live_seconds=time_to_live_seconds,
            collapse_key=content.collapse_key,
            raw=raw,
        )

    return Part(render, (content.title, content.body, content.url, *content.data.values()))


def _template(field: str, source: str, *, html: bool = False) -> Template:
    try:
        return ENGINE.compile(source, html=html)
    except TemplateError as error:
        raise TemplateError(f"{field}: {error}") from None


def _seconds(duration: Duration) -> int:
    return max(0, duration.seconds)
