"""What follows from texts where a keyword asks before it opts in, without a database."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from twoway.inbound import effects, opting_in, texts
from twoway.inbound.effects import Effects
from twoway.inbound.situation import Number, Situation, Standing
from twoway.inbound.texts import Text
from twoway.intents import Action, Keyword
from twoway.keywords.tables import KeywordRow, OptInQuestionRow
from twoway_room import NOON, NUMBER, sms

ANN, BOB = "+12065550191", "+12065550192"
WINDOW = timedelta(hours=24)
OUT = Standing(opted_out=True, confirmed=True, last_time=NOON - timedelta(days=3))


def text(words: str, source: str = ANN, at_seconds: float = 0) -> Text:
    return texts.of(sms(words, source, at_seconds=at_seconds), NOON + 2 * WINDOW)


def keyword(keyword_id: str, **settings: object) -> KeywordRow:
    return KeywordRow(
        application="shop", phone_number=NUMBER, keyword_id=keyword_id, keyword=keyword_id.upper(),
        words=keyword_id, action=Action.OPT_IN, reply_text=f"Reply YES to {keyword_id}.",
        double_opt_in=True, create_time=NOON, update_time=NOON, **settings,
    )  # fmt: skip


def follow(
    *arrived: Text,
    standing: Standing | None = None,
    asked: datetime | None = None,
    **settings: object,
) -> Effects:
    rows = (keyword("join", **settings), keyword("win"))
    matched = tuple(Keyword(row.keyword_id, (row.words,), Action(row.action)) for row in rows)
    number = Number(registered=True, keeper=NUMBER, keywords=matched, keyword_rows=rows)
    questions = (question(asked),) if asked else ()
    standings = {("default", ANN): standing} if standing else {}
    return effects.follow(Situation("shop", {NUMBER: number}, standings, questions), arrived)


def question(asked: datetime) -> OptInQuestionRow:
    return OptInQuestionRow(
        application="shop", keeper=NUMBER, source_address=ANN, opt_out_list="default",
        keyword_id="join", requested_text="Join!", question_text="Reply YES to join.",
        ask_time=asked, expire_time=asked + WINDOW,
    )  # fmt: skip


def said(followed: Effects) -> list[tuple[str, str]]:
    return [(reply.purpose, reply.reply_text) for reply in followed.replies]


def test_join_asks_and_yes_opts_in_with_both_texts_on_the_record() -> None:
    followed = follow(text("Join!"), text("Yes, please", at_seconds=9), standing=OUT)

    asked, confirmed = said(followed)
    assert asked == ("OPT_IN_QUESTION", "Reply YES to join.")
    assert confirmed[0] == "TRANSACTIONAL"
    assert "STOP" in confirmed[1]
    (change,) = followed.changes.record
    assert (change.kind, change.requested_text, change.text) == ("OPTED_IN", "Join!", "Yes, please")
    assert change.question_text == "Reply YES to join."
    assert [row.intent for row in followed.messages] == ["KEYWORD_MATCH", "OPT_IN"]
    assert [row.consent_changed for row in followed.messages] == [False, True]
    assert [match.awaited for match in followed.matches] == [True, False]


def test_who_was_never_out_is_asked_as_others_are_written_to_and_their_yes_is_recorded() -> None:
    followed = follow(text("JOIN"), text("Y", at_seconds=1), confirmed_reply_text="Welcome!")

    assert said(followed) == [
        ("TRANSACTIONAL", "Reply YES to join."),
        ("TRANSACTIONAL", "Welcome!"),
    ]
    assert [change.kind for change in followed.changes.record] == ["OPTED_IN"]


def test_a_yes_without_a_question_is_no_opt_in() -> None:
    followed = follow(text("YES"), standing=OUT)

    assert not followed.changes.record
    assert not followed.replies
    assert followed.messages[0].intent == "CHATTER"


def test_a_yes_of_somebody_else_or_a_second_one_is_no_opt_in() -> None:
    others = follow(text("JOIN"), text("YES", BOB, 1))
    twice = follow(text("JOIN"), text("YES", at_seconds=1), text("YES", at_seconds=2))

    assert not others.changes.record
    assert len(twice.changes.record) == 1
    assert [row.intent for row in twice.messages] == ["KEYWORD_MATCH", "OPT_IN", "CHATTER"]


def test_join_again_asks_once_and_another_keyword_asks_anew() -> None:
    followed = follow(text("JOIN"), text("join", at_seconds=5), text("WIN", at_seconds=6))

    assert [words for _, words in said(followed)] == ["Reply YES to join.", "Reply YES to win."]
    (waiting,) = followed.questions.asked.values()
    assert waiting.keyword_id == "win"


@pytest.mark.parametrize(
    ("asked", "opts_in"),
    [
        (NOON, True),
        (NOON - WINDOW + timedelta(microseconds=1), True),
        (NOON - WINDOW, False),
        (NOON + timedelta(microseconds=1), False),
    ],
)
def test_a_yes_counts_from_the_question_until_it_expires(asked: datetime, opts_in: bool) -> None:
    followed = follow(text("YES"), asked=asked)

    assert bool(followed.changes.record) == opts_in
    assert bool(followed.questions.ended) == opts_in


def test_an_expired_question_is_asked_again() -> None:
    assert len(follow(text("JOIN"), asked=NOON - WINDOW).replies) == 1
    assert not follow(text("JOIN"), asked=NOON - timedelta(hours=1)).replies


def test_a_stop_in_between_ends_the_question() -> None:
    asked = NOON - timedelta(hours=1)

    for standing in (None, OUT):
        followed = follow(text("STOP"), text("YES", at_seconds=5), asked=asked, standing=standing)
        assert "OPTED_IN" not in [change.kind for change in followed.changes.record]
        assert followed.questions.ended == {(NUMBER, ANN)}


def test_a_stop_that_was_written_before_the_join_ends_nothing() -> None:
    followed = follow(text("STOP", at_seconds=-3), text("JOIN"), text("YES", at_seconds=5))

    assert [change.kind for change in followed.changes.record] == ["OPTED_OUT", "OPTED_IN"]


def test_a_join_that_arrives_after_a_later_stop_asks_nothing() -> None:
    late = replace(OUT, last_time=NOON + timedelta(seconds=1))

    followed = follow(text("JOIN"), standing=late)

    assert not followed.replies
    assert not followed.questions.asked


def test_help_leaves_the_question_open() -> None:
    followed = follow(text("JOIN"), text("HELP", at_seconds=1), text("yes", at_seconds=2))

    assert [row.intent for row in followed.messages] == ["KEYWORD_MATCH", "HELP", "OPT_IN"]


def test_a_sender_that_takes_no_messages_is_not_asked() -> None:
    followed = follow(text("JOIN", "ACME"), text("YES", "ACME", 1))

    assert not followed.questions.asked
    assert not followed.changes.record


@pytest.mark.parametrize(
    ("words", "confirming", "is_yes"),
    [
        ("YES", (), True),
        ("y", (), True),
        ("\u201cYes!\u201d \U0001f44d", (), True),
        ("yes please", (), True),
        ("Yes thank you", (), True),
        ("yes but not now", (), False),
        ("yes stop", (), False),
        ("oui", (), False),
        ("Oui", ("OUI", "D'accord"), True),
        ("oui, merci !", ("OUI",), True),
        ("Oui s\u2019il vous pla\u00eet", ("OUI",), True),
        ("s\u00ed, gracias", ("SI",), True),
        ("Ja bitte", ("JA",), True),
        ("oui mais plus tard", ("OUI",), False),
        ("d\u2019accord", ("OUI", "D'accord"), True),
        ("YES", ("OUI",), False),
        ("", (), False),
    ],
)
def test_only_a_clear_yes_confirms(words: str, confirming: tuple[str, ...], is_yes: bool) -> None:
    assert opting_in.is_yes(words, confirming) == is_yes
