"""What keywords answer: variables, templates, languages."""

import pytest
from heliograph.audience.v1 import channel_type_pb2
from heliograph.messaging.v1 import message_service_pb2_grpc
from heliograph.twoway.v1 import keyword_pb2
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from mesh.errors import InvalidArgument, Unavailable
from twoway import clock
from twoway.intents import understand
from twoway.keywords import answers
from twoway.keywords.answers import Wording
from twoway.keywords.tables import KeywordRow
from twoway.replies.sending import ReplySender
from twoway_room import NOON, NUMBER, SHOP, Room, sms

ANN, BOB = "+12065550191", "+12065550192"
PARENT = f"{SHOP}/phoneNumbers/{NUMBER}"
HELLO = f"{SHOP}/templates/hello"
Keyword = keyword_pb2.Keyword


async def create(room: Room, keyword: str = "SIZE", **settings: object) -> Keyword:
    wanted = Keyword(keyword=keyword, **settings)  # type: ignore[arg-type]
    request = pb.CreateKeywordRequest(parent=PARENT, keyword=wanted)
    created: Keyword = await room.keywords.CreateKeyword(request)
    return created


async def send(room: Room) -> None:
    stub = room.messaging_stub
    assert isinstance(stub, message_service_pb2_grpc.MessageServiceStub)
    await ReplySender(room.asking, stub, room.wakeups).step(clock.now())


@pytest.mark.parametrize(
    ("text", "keyword", "begun", "rest"),
    [
        ("SIZE  42, please", "size", "SIZE", "42, please"),
        ("\u201cSize\u201d 42", "size", "\u201cSize\u201d", "42"),
        ("order status: 7-B", "order status", "order status:", "7-B"),
        ("order-status 7", "order status", "order-status", "7"),
        ("size", "size", "size", ""),
        ("Größe 42\n blau", "größe", "Größe", "42 blau"),
        ("yes, do", "", "", "yes, do"),
        ("size " + "x" * 400, "size", "size", "x" * 300),
    ],
)
def test_a_text_is_parted_where_its_keyword_ends(
    text: str, keyword: str, begun: str, rest: str
) -> None:
    assert answers.substitutions(text, keyword) == {"Text.Keyword": begun, "Text.Rest": rest}


def said(text: str, rows: tuple[KeywordRow, ...] = ()) -> Wording:
    return answers.wording(rows, understand(text))


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("ARRET", "Vous ne recevrez"),
        ("détener", "No le enviaremos"),
        ("AIDE", "Répondez"),
        ("Hilfe", "Antworten Sie"),
        ("reprendre", "Vous recevrez"),
        ("empezar", "Le enviaremos"),
    ],
)
def test_words_of_a_language_are_answered_in_it(text: str, begins: str) -> None:
    wording = said(text)

    assert wording.text.startswith(begins)
    assert not wording.localized


@pytest.mark.parametrize("text", ["STOP", "help", "start", "please stop texting me"])
def test_words_of_no_language_leave_it_to_the_locale(text: str) -> None:
    wording = said(text)

    assert {language for language, _ in wording.localized} == {"fr", "es", "de"}
    assert "Reply START" in wording.text or "Reply STOP" in wording.text


def test_a_language_without_a_text_falls_back() -> None:
    stop = KeywordRow(
        application="shop", phone_number=NUMBER, keyword_id="stop", keyword="STOP", words="stop",
        action="OPT_OUT", reply_text="Bye.", localized_reply_texts={"de": "Tschüss."},
        create_time=NOON, update_time=NOON,
    )  # fmt: skip

    assert said("ARRET", (stop,)) == Wording("Bye.", localized=(("de", "Tschüss."),))


async def test_an_answer_says_whom_and_what_it_answers(room: Room) -> None:
    await room.register()
    await create(
        room,
        reply_text="{{User.UserAttributes.FirstName}}: {{Text.Rest}}",
        localized_reply_texts={"fr": "{{Text.Rest}} !"},
        default_substitutions={"User.UserAttributes.FirstName": "You"},
    )

    await room.receive(sms("Size 42, blue", ANN), sms("size", BOB))
    await send(room)

    (request,) = room.messaging.requests.values()
    assert request.content.sms.localized_bodies["fr"] == "{{Text.Rest}} !"
    assert dict(request.content.default_substitutions) == {"User.UserAttributes.FirstName": "You"}
    ann, bob = request.recipients
    assert ann.address.personal
    assert ann.address.channel_type == channel_type_pb2.SMS
    assert dict(ann.substitutions) == {"Text.Keyword": "Size", "Text.Rest": "42, blue"}
    assert bob.substitutions["Text.Rest"] == ""


async def test_a_stored_template_answers_from_the_number_that_was_written_to(room: Room) -> None:
    room.templates.stored[HELLO] = "Hello {{Attributes.color}}"
    await room.register()
    created = await create(room, template=HELLO)

    await room.receive(sms("Size 42", ANN))
    await send(room)

    assert created.template == HELLO
    (request,) = room.messaging.requests.values()
    assert list(request.content.templates) == [HELLO]
    assert request.content.origination_identity == NUMBER
    assert not request.content.HasField("sms")


REFUSED = [
    ({"reply_text": "{{Attribute.color}}"}, "TEMPLATE_VARIABLE_UNKNOWN", "reply_text"),
    ({"reply_text": "Hi", "localized_reply_texts": {"fr": "{{Nom}}"}},
     "TEMPLATE_VARIABLE_UNKNOWN", "localized_reply_texts.fr"),
    ({"reply_text": "{{Text.Rest"}, "KEYWORD_TEMPLATE_INVALID", "reply_text"),
    ({"template": f"{SHOP}/templates/gone"}, "KEYWORD_TEMPLATE_INVALID", "template"),
    ({"template": f"{SHOP}/templates/mail"}, "KEYWORD_TEMPLATE_INVALID", "template"),
    ({"template": HELLO, "reply_text": "Hi"}, "KEYWORD_TEMPLATE_INVALID", "template"),
    ({"template": "applications/other/templates/x"}, "APPLICATION_MISMATCH", "template"),
]  # fmt: skip


async def test_what_could_not_be_said_is_refused(room: Room) -> None:
    room.templates.stored = {HELLO: "Hello", f"{SHOP}/templates/mail": ""}
    await room.register()

    for settings, reason, field in REFUSED:
        with pytest.raises(InvalidArgument) as refused:
            await create(room, **settings)

        assert refused.value.reason == reason, settings
        assert [one.field for one in refused.value.violations] == [f"keyword.{field}"]


async def test_plain_texts_ask_nobody_and_others_wait_for_messaging(room: Room) -> None:
    room.templates.away = True
    await room.register()
    await create(room, reply_text="Hi")
    assert not room.templates.asked

    with pytest.raises(Unavailable):
        await create(room, "JOIN", reply_text="Hi {{Text.Rest}}")
