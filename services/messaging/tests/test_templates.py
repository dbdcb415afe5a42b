"""Stored templates: versions, the active one, previews, and messages that name them."""

import pytest
from heliograph.messaging.v1 import template_service_pb2 as rpc
from heliograph.messaging.v1.content_pb2 import EmailContent, MessageContent, SmsContent
from heliograph.messaging.v1.template_pb2 import Template, TemplateContent
from mesh.errors import Aborted, AlreadyExists, InvalidArgument, NotFound
from messaging_samples import PARENT, batch, endpoint, number, send_request, to

NAME = f"{PARENT}/templates/welcome"


def sms(body, **defaults):
    return TemplateContent(sms=SmsContent(body=body), default_substitutions=defaults)


async def made(room, body="Hello {{name}}", template_id="welcome", **defaults):
    return await room.templates.CreateTemplate(
        rpc.CreateTemplateRequest(
            parent=PARENT, template_id=template_id, template=Template(content=sms(body, **defaults))
        )
    )


async def update(room, body, **fields):
    return await room.templates.UpdateTemplate(
        rpc.UpdateTemplateRequest(template=Template(name=NAME, content=sms(body)), **fields)
    )


async def test_a_template_is_made_found_and_deleted(make_room):
    room = await make_room()

    template = await made(room)

    assert (template.active_version, template.latest_version) == (1, 1)
    assert await room.templates.GetTemplate(rpc.GetTemplateRequest(name=NAME)) == template
    await room.templates.DeleteTemplate(rpc.DeleteTemplateRequest(name=NAME))
    with pytest.raises(NotFound):
        await room.templates.GetTemplate(rpc.GetTemplateRequest(name=NAME))


async def test_an_update_overwrites_the_latest_version_or_adds_one(make_room):
    room = await make_room()
    await made(room, "one")

    await update(room, "one, corrected")
    await update(room, "two", create_new_version=True)

    got = await room.templates.GetTemplate(rpc.GetTemplateRequest(name=NAME))
    assert got.content.sms.body == "one, corrected"
    assert (got.active_version, got.latest_version) == (1, 2)
    active = await room.templates.ActivateTemplateVersion(
        rpc.ActivateTemplateVersionRequest(name=f"{NAME}/versions/2")
    )
    assert active.content.sms.body == "two"
    versions = await room.templates.ListTemplateVersions(
        rpc.ListTemplateVersionsRequest(parent=NAME)
    )
    assert [(one.content.sms.body, one.active) for one in versions.template_versions] == [
        ("two", True),
        ("one, corrected", False),
    ]


async def test_a_version_that_is_not_there_cannot_be_active(make_room):
    room = await make_room()
    await made(room)

    with pytest.raises(NotFound) as refused:
        await room.templates.ActivateTemplateVersion(
            rpc.ActivateTemplateVersionRequest(name=f"{NAME}/versions/7")
        )

    assert refused.value.reason == "TEMPLATE_VERSION_NOT_FOUND"


async def test_templates_are_listed_in_pages(make_room):
    room = await make_room()
    for template_id in ("b1", "a2", "a1", "a3"):
        await made(room, template_id=template_id)

    first = await room.templates.ListTemplates(
        rpc.ListTemplatesRequest(parent=PARENT, prefix="a", page_size=2)
    )
    rest = await room.templates.ListTemplates(
        rpc.ListTemplatesRequest(
            parent=PARENT, prefix="a", page_size=2, page_token=first.next_page_token
        )
    )

    found = [one.name.rpartition("/")[2] for one in (*first.templates, *rest.templates)]
    assert found == ["a1", "a2", "a3"]
    assert rest.next_page_token == ""


async def test_a_template_that_does_not_compile_is_refused_with_its_place(make_room):
    room = await make_room()

    with pytest.raises(InvalidArgument) as refused:
        await made(room, "Hello {{#if")

    assert refused.value.reason == "TEMPLATE_INVALID"
    assert "sms.body" in refused.value.message


async def test_an_id_is_taken_once_and_an_etag_protects(make_room):
    room = await make_room()
    template = await made(room)
    await update(room, "newer")

    with pytest.raises(AlreadyExists):
        await made(room)
    with pytest.raises(Aborted):
        await room.templates.DeleteTemplate(
            rpc.DeleteTemplateRequest(name=NAME, etag=template.etag)
        )


async def test_a_preview_is_what_would_be_sent(make_room):
    room = await make_room()
    await made(room, "Hi {{User.UserAttributes.FirstName}}, {{Attributes.color}} “sale”")

    answer = await room.templates.RenderTemplate(
        rpc.RenderTemplateRequest(
            parent=PARENT, content=MessageContent(templates=[NAME]), endpoint=endpoint(1)
        )
    )

    assert answer.content.sms.body == "Hi Ann1,  “sale”"
    assert list(answer.missing_variables) == ["Attributes.color"]
    assert answer.sms_encoding.parts == 1
    assert list(answer.sms_encoding.foreign_characters) == ["“", "”"]


async def test_a_preview_without_an_endpoint_shows_every_channel(make_room):
    room = await make_room()
    content = MessageContent(
        sms=SmsContent(body="{{x}}"), email=EmailContent(subject="{{x}}", html_body="<p>{{x}}</p>")
    )

    answer = await room.templates.RenderTemplate(
        rpc.RenderTemplateRequest(parent=PARENT, content=content, substitutions={"x": "a&b"})
    )

    assert answer.content.sms.body == "a&b"
    assert answer.content.email.html_body == "<p>a&amp;b</p>"


async def test_a_campaign_that_names_a_template_gets_the_active_version(room):
    await made(room, "Hello {{name}}", name="friend")
    await update(room, "Bye", create_new_version=True)
    sent = batch([endpoint(1), endpoint(2)])
    sent.treatments[0].content.CopyFrom(MessageContent(templates=[NAME]))
    sent.treatments.add(content=MessageContent(templates=[f"{NAME}/versions/2"]))
    sent.recipients[1].treatment_index = 1

    await room.publish(sent)

    await room.settled(2)
    assert {entry["text"] for entry in await room.arrived()} == {"Hello friend", "Bye"}


async def test_a_campaign_that_names_a_deleted_template_says_so(room):
    sent = batch([endpoint(1)])
    sent.treatments[0].content.CopyFrom(MessageContent(templates=[NAME]))

    await room.publish(sent)

    assert await room.settled(1) == {"e1": "RENDERING_FAILED"}
    assert "does not exist" in (await room.rows())[0].detail


async def test_a_direct_send_that_names_an_unknown_template_is_refused(room):
    with pytest.raises(NotFound) as refused:
        await room.messages.SendMessages(
            send_request(to(number(1)), content=MessageContent(templates=[NAME]))
        )

    assert refused.value.reason == "TEMPLATE_NOT_FOUND"


async def test_a_template_of_another_application_is_unknown(room):
    foreign = "applications/other/templates/welcome"
    sent = batch([endpoint(1)])
    sent.treatments[0].content.CopyFrom(MessageContent(templates=[foreign]))

    await room.publish(sent)

    assert await room.settled(1) == {"e1": "RENDERING_FAILED"}
