"""Whether messaging can render what a keyword answers: asked when it is written."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from heliograph.messaging.v1 import content_pb2
from heliograph.messaging.v1 import template_service_pb2 as pb
from heliograph.twoway.v1 import keyword_pb2
from mesh.errors import Error, InvalidArgument, Unavailable
from mesh.errors.refusals import invalid

from twoway import names
from twoway.keywords.answers import KEYWORD_VARIABLE, REST_VARIABLE

if TYPE_CHECKING:
    from heliograph.messaging.v1.template_service_pb2_grpc import TemplateServiceAsyncStub

TIMEOUT_SECONDS = 5.0

_OF_THE_TEXT = {KEYWORD_VARIABLE: "JOIN", REST_VARIABLE: "today"}

Said = tuple[str, content_pb2.MessageContent]
"""A field of a keyword, and what it says."""


async def check(templates: "TemplateServiceAsyncStub", keyword: keyword_pb2.Keyword) -> None:
    """Refuse what could not be said.

    KEYWORD_TEMPLATE_INVALID names a text that is no template, or a stored one that is not there or
    has no text message; TEMPLATE_VARIABLE_UNKNOWN a variable that nobody can have, also within
    `{{#if}}`. UNAVAILABLE while messaging does not answer; plain texts do not ask it.
    """
    if keyword.template and (keyword.reply_text or keyword.localized_reply_texts):
        raise _refused(keyword, "template", "either reply_text or a template answers")
    if keyword.template:
        names.same_application(
            names.application_in(keyword.name), keyword.template, "keyword.template"
        )
    await asyncio.gather(*(_check(templates, keyword, said) for said in _said(keyword)))


def _said(keyword: keyword_pb2.Keyword) -> Iterator[Said]:
    """Everything that may have variables."""
    if keyword.template:
        yield "template", content_pb2.MessageContent(templates=[keyword.template])
    texts = {"reply_text": keyword.reply_text, "confirmed_reply_text": keyword.confirmed_reply_text}
    for field in ("localized_reply_texts", "localized_confirmed_reply_texts"):
        texts |= {f"{field}.{tag}": text for tag, text in getattr(keyword, field).items()}
    for field, text in texts.items():
        if "{{" in text:
            yield field, content_pb2.MessageContent(sms=content_pb2.SmsContent(body=text))


async def _check(
    templates: "TemplateServiceAsyncStub", keyword: keyword_pb2.Keyword, said: Said
) -> None:
    field, content = said
    content.default_substitutions.update(keyword.default_substitutions)
    application = names.application_in(keyword.name)
    request = pb.RenderTemplateRequest(
        parent=f"applications/{application}", content=content, substitutions=_OF_THE_TEXT
    )
    try:
        shown = await templates.RenderTemplate(request, timeout=TIMEOUT_SECONDS)
    except Error as error:
        if error.code not in ("INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED"):
            raise Unavailable(
                "MESSAGING_UNAVAILABLE", "templates cannot be checked now", retry_after_seconds=1.0
            ) from error
        raise _refused(keyword, field, error.message) from None
    if not shown.content.HasField("sms"):
        raise _refused(keyword, field, "it has no text message")
    for variable in shown.unknown_variables:
        raise _unknown(field, variable)


def _unknown(field: str, variable: str) -> InvalidArgument:
    reason, field = "TEMPLATE_VARIABLE_UNKNOWN", f"keyword.{field}"
    description = f"{variable} can have no value: no endpoint has it, nor the text that is answered"
    return invalid(reason, field, description, variable=variable)


def _refused(keyword: keyword_pb2.Keyword, field: str, description: str) -> InvalidArgument:
    reason, field = "KEYWORD_TEMPLATE_INVALID", f"keyword.{field}"
    return invalid(reason, field, description, keyword=keyword.keyword)
