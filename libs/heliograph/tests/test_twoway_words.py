"""Numbers, pools, keywords and alarms as people type them."""

import pytest
from heliograph.cli import keywords, names, settings
from heliograph.cli.__main__ import app
from heliograph.twoway.v1.keyword_pb2 import Keyword


@pytest.mark.parametrize(
    "words",
    [
        ["numbers", "release", "+12065550100"],
        ["sender-ids", "release", "DE-ACME"],
        ["pools", "delete", "support"],
        ["keywords", "delete", "join", "--of", "support"],
        ["opt-out-lists", "delete", "marketing"],
        ["alarms", "delete", "annoyed"],
    ],
)
def test_what_ends_something_of_twoway_says_what_it_would_do(words, capsys):
    with pytest.raises(SystemExit) as ended:
        app([*words, "--app", "shop"])

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert words[2] in said
    assert "--yes" in said


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("+12065550100", "applications/shop/phoneNumbers/+12065550100"),
        ("12345", "applications/shop/phoneNumbers/12345"),
        ("DE-ACME", "applications/shop/senderIds/DE-ACME"),
        ("applications/shop/senderIds/DE-ACME", "applications/shop/senderIds/DE-ACME"),
    ],
)
def test_an_identity_is_named_by_what_it_looks_like(text, name):
    assert names.identity("shop", text) == name


def test_the_options_of_a_keyword_become_its_fields():
    keyword = Keyword()
    given = keywords.Answer(
        action="opt-in", reply="", reply_in=["fr=Oui"], confirm_word=["y"], end="", start=None
    )

    paths = settings.changes(keyword, given.fields("shop"))

    assert paths == [
        "action",
        "reply_text",
        "localized_reply_texts",
        "end_time",
        "double_opt_in_words",
    ]
    assert keyword.action == Keyword.OPT_IN
    assert dict(keyword.localized_reply_texts) == {"fr": "Oui"}
    assert not keyword.HasField("end_time")


def test_a_language_without_a_text_is_answered_with_an_example():
    with pytest.raises(SystemExit, match="--reply-in as fr=Bonjour!; 'fr' is none"):
        keywords.Answer(reply_in=["fr"]).fields("shop")
