"""Previews: content rendered by the same functions that send it."""

from heliograph.addresses import PUSH_CHANNELS
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import template_service_pb2 as rpc
from heliograph.messaging.v1.content_pb2 import MessageContent
from mesh.errors import InvalidArgument
from mesh.sms import Encoding, gsm7

from messaging import contents
from messaging.channels.outgoing import Rendered, RenderedEmail, RenderedPush, RenderedSms
from messaging.rendering import reading
from messaging.rendering.contents import CompiledContent, NothingSaidError, parse_texts
from messaging.rendering.engine import Scope, TemplateError
from messaging.stored_templates import StoredTemplates

PREVIEWED = (ChannelType.SMS, ChannelType.EMAIL, ChannelType.PUSH_FCM)
"""One channel of each kind of content."""

Alphabet = rpc.RenderTemplateResponse.SmsEncoding


async def render(
    stored: StoredTemplates, application: str, request: rpc.RenderTemplateRequest
) -> rpc.RenderTemplateResponse:
    """The content as its recipient would get it."""
    try:
        whole = await stored.complete(application, request.content)
        return _render(contents.check(whole), whole, request)
    except TemplateError as error:
        raise InvalidArgument("TEMPLATE_INVALID", f"content: {error}", field="content") from None


def _render(
    content: CompiledContent, whole: MessageContent, request: rpc.RenderTemplateRequest
) -> rpc.RenderTemplateResponse:
    scope = Scope(request.endpoint, parse_texts(request.substitutions), content.defaults)
    answer = rpc.RenderTemplateResponse()
    answer.content.CopyFrom(whole)
    for field in ("sms", "email", "push"):
        answer.content.ClearField(field)  # type: ignore[arg-type]  # names of fields
    asked = _channels(request.endpoint.channel_type)
    parts = [content.parts[one] for one in asked if one in content.parts]
    for part in parts:
        try:
            _fill(answer, whole, part.render(scope))
        except NothingSaidError:
            # Not sent so; but what is missing is what the preview is asked for.
            answer.content.sms.CopyFrom(whole.sms)
            answer.content.sms.body = ""
    answer.missing_variables.extend(dict.fromkeys(scope.missing))
    sources = [source for part in parts for source in part.sources]
    answer.unknown_variables.extend(reading.unknown(sources, scope.substitutions, content.defaults))
    return answer


def _channels(asked: ChannelType.ValueType) -> tuple[ChannelType.ValueType, ...]:
    if not asked:
        return PREVIEWED
    return (ChannelType.PUSH_FCM,) if asked in PUSH_CHANNELS else (asked,)


def _fill(answer: rpc.RenderTemplateResponse, whole: MessageContent, rendered: Rendered) -> None:
    match rendered:
        case RenderedSms():
            answer.content.sms.CopyFrom(whole.sms)
            answer.content.sms.body = rendered.text
            answer.sms_encoding.CopyFrom(_encoding(rendered))
        case RenderedEmail():
            answer.content.email.CopyFrom(whole.email)
            answer.content.email.subject = rendered.subject
            answer.content.email.text_body = rendered.text_body
            answer.content.email.html_body = rendered.html_body
        case RenderedPush():
            answer.content.push.CopyFrom(whole.push)
            answer.content.push.title = rendered.title
            answer.content.push.body = rendered.body
            answer.content.push.url = rendered.url
            answer.content.push.data.update(rendered.data)


def _encoding(rendered: RenderedSms) -> rpc.RenderTemplateResponse.SmsEncoding:
    ucs2 = rendered.segments.encoding is Encoding.UCS2
    foreign = [char for char in dict.fromkeys(rendered.text) if gsm7.encode(char) is None]
    return Alphabet(
        parts=len(rendered.segments.parts),
        alphabet=Alphabet.UCS2 if ucs2 else Alphabet.GSM7,
        foreign_characters=foreign,
    )
