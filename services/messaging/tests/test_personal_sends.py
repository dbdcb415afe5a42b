"""Messages to bare addresses that know whose they are, and speak their language."""

import pytest
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1 import template_service_pb2 as templates
from heliograph.messaging.v1.content_pb2 import MessageContent, Purpose, SmsContent
from heliograph.messaging.v1.message_service_pb2_grpc import MessageServiceStub
from mesh.errors import Unavailable
from messaging.rendering.contents import compile_content
from messaging.rendering.engine import Scope
from messaging_samples import PARENT, content, endpoint, number, send_request

SAID = {"de": "Hallo {{who}}", "fr-CA": "Allô", "fr": "Bonjour", "zh-Hant": "您好"}


def personal(digits: int, **substitutions: str) -> rpc.Recipient:
    address = rpc.Recipient.Address(
        channel_type=ChannelType.SMS, address=number(digits), personal=True
    )
    return rpc.Recipient(address=address, substitutions=substitutions)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("de", "Hallo Ann"),
        ("de-AT", "Hallo Ann"),
        ("DE_at.UTF-8", "Hallo Ann"),
        ("fr_CA", "Allô"),
        ("fr-FR", "Bonjour"),
        ("zh-Hant-TW", "您好"),
        ("zh", "Hello Ann"),
        ("en-GB", "Hello Ann"),
        ("", "Hello Ann"),
        ("-", "Hello Ann"),
    ],
)
def test_the_locale_chooses_the_text(locale: str, text: str) -> None:
    said = SmsContent(body="Hello {{who}}", localized_bodies=SAID)
    compiled = compile_content(MessageContent(sms=said))
    scope = Scope(Endpoint(demographic={"locale": locale}), {("who",): "Ann"}, {})

    assert compiled.parts[ChannelType.SMS].render(scope).text == text


async def test_an_address_knows_its_person_and_stays_a_bare_address(room):
    known = endpoint(1)
    known.opt_out, known.demographic.locale = Endpoint.ALL, "de-DE"
    room.endpoints.known[known.name] = known
    said = content("Hi {{User.UserAttributes.FirstName}} {{Text.Rest}}")
    said.sms.localized_bodies["de"] = "Hallo {{User.UserAttributes.FirstName}} {{Text.Rest}}"

    await room.messages.SendMessages(
        send_request(personal(1, **{"Text.Rest": "7"}), personal(2), content=said)
    )

    await room.settled(2)
    assert {entry["text"] for entry in await room.arrived()} == {"Hallo Ann1 7", "Hi  "}
    assert room.endpoints.finds == 1
    found = await room.messages.ListMessages(rpc.ListMessagesRequest(parent=PARENT))
    assert [message.endpoint for message in found.messages] == ["", ""]


async def test_without_audience_answers_go_out_and_others_wait(room, mint_token):
    room.endpoints.away = True
    said = content("Hi {{User.UserAttributes.FirstName}}!")

    with pytest.raises(Unavailable):
        await room.messages.SendMessages(send_request(personal(1), content=said))
    await room.messages.SendMessages(send_request(personal(2), content=content("Hello")))
    channel = room.connect(room.address, token=mint_token(["shop"], roles=["service"]))
    service = MessageServiceStub(channel)
    await service.SendMessages(send_request(personal(1), content=said, purpose=Purpose.HELP_REPLY))

    await room.settled(2)
    assert {entry["text"] for entry in await room.arrived()} == {"Hello", "Hi !"}


async def test_an_origination_of_the_content_is_above_that_of_its_parts(room):
    said = content("Hi")
    said.sms.origination_identity, said.origination_identity = "ACME", "+12065550177"

    await room.messages.SendMessages(send_request(personal(1), content=said))

    await room.settled(1)
    [message] = (await room.messages.ListMessages(rpc.ListMessagesRequest(parent=PARENT))).messages
    assert message.origination_identity == "+12065550177"


async def test_a_preview_names_variables_that_nobody_can_have(room):
    said = content("{{Attribute.color}} {{Attributes.color}} {{Text.Rest}} {{User.UserId}}")

    answer = await room.templates.RenderTemplate(
        templates.RenderTemplateRequest(
            parent=PARENT, content=said, substitutions={"Text.Rest": "7"}
        )
    )

    assert list(answer.unknown_variables) == ["Attribute.color"]


async def test_a_preview_names_them_also_in_branches_and_languages_that_it_does_not_show(room):
    said = content("Hi{{#if Metrics.visits}} {{Nmae}}{{/if}}")
    said.sms.localized_bodies["fr"] = "{{#unless Id}}{{Prenom}}{{/unless}} {{Code}}"
    said.default_substitutions["Code"] = "7"

    answer = await room.templates.RenderTemplate(
        templates.RenderTemplateRequest(parent=PARENT, content=said)
    )

    assert answer.content.sms.body == "Hi"
    assert list(answer.unknown_variables) == ["Nmae", "Prenom"]


async def test_a_preview_of_nothing_but_variables_says_which_are_missing(room):
    request = templates.RenderTemplateRequest(parent=PARENT, content=content("{{User.UserId}}"))

    answer = await room.templates.RenderTemplate(request)

    assert answer.content.HasField("sms")
    assert list(answer.missing_variables) == ["User.UserId"]
    assert not answer.unknown_variables
