"""What follows from texts, without a database."""

from datetime import timedelta

import pytest
from twoway.inbound import effects, texts
from twoway.inbound.effects import Effects
from twoway.inbound.situation import Number, Situation, Standing
from twoway.inbound.texts import Text
from twoway.intents import Action, Keyword, rule_sets
from twoway.keywords.tables import KeywordRow
from twoway.replies import sets
from twoway_room import NOON, NUMBER, sms

ANN, BOB = "+12065550191", "+12065550192"
KEYWORDS = {
    "join": ("JOIN", Action.OPT_IN, "Welcome!"),
    "basta": ("BASTA", Action.OPT_OUT, "Basta it is."),
    "hours": ("HOURS", Action.AUTOMATIC_RESPONSE, "9 to 5"),
    "info": ("INFO", Action.AUTOMATIC_RESPONSE, "We sell hats."),
    "quiet": ("QUIET", Action.AUTOMATIC_RESPONSE, ""),
}


def text(words: str, source: str = ANN, at_seconds: float = 0) -> Text:
    return texts.of(sms(words, source, at_seconds=at_seconds), NOON)


def number(**settings: object) -> Number:
    rows = tuple(
        KeywordRow(
            application="shop", phone_number=NUMBER, keyword_id=keyword_id, keyword=word,
            words=word.lower(), action=action, reply_text=reply, create_time=NOON, update_time=NOON,
        )
        for keyword_id, (word, action, reply) in KEYWORDS.items()
    )  # fmt: skip
    matched = tuple(Keyword(row.keyword_id, (row.words,), Action(row.action)) for row in rows)
    return Number(registered=True, keywords=matched, keyword_rows=rows, **settings)  # type: ignore[arg-type]


def follow(*arrived: Text, standing: Standing | None = None, **settings: object) -> Effects:
    standings = {("default", ANN): standing} if standing else {}
    return effects.follow(Situation("shop", {NUMBER: number(**settings)}, standings), arrived)


def said(followed: Effects) -> list[tuple[str, str]]:
    return [(reply.purpose, reply.reply_text.split()[0]) for reply in followed.replies]


def kinds(followed: Effects) -> list[str]:
    return [change.kind for change in followed.changes.record]


def test_stop_opts_out_and_is_confirmed() -> None:
    followed = follow(text("STOP"))

    assert kinds(followed) == ["OPTED_OUT"]
    assert said(followed) == [("OPT_OUT_CONFIRMATION", "You")]
    assert followed.replies[0].origination_identity == NUMBER
    assert followed.messages[0].consent_changed


def test_a_second_stop_gets_no_answer() -> None:
    followed = follow(text("STOP"), text("stop!", at_seconds=1))

    assert len(followed.replies) == len(followed.changes.record) == 1
    assert [row.intent for row in followed.messages] == ["OPT_OUT", "OPT_OUT"]


def test_a_stop_after_a_confirmed_one_gets_no_answer() -> None:
    followed = follow(text("STOP"), standing=Standing(opted_out=True, confirmed=True))

    assert not followed.replies
    assert not followed.changes.record


def test_somebody_whom_a_caller_opted_out_is_confirmed_once_when_they_say_so_themselves() -> None:
    followed = follow(text("STOP"), text("STOP", at_seconds=1), standing=Standing(opted_out=True))

    assert len(followed.replies) == 1
    assert not followed.changes.record
    assert followed.changes.on["default", ANN].source == "KEYWORD"


def test_start_opts_in_again_and_a_new_stop_is_a_new_opt_out() -> None:
    followed = follow(text("STOP"), text("START", at_seconds=1), text("STOP", at_seconds=2))

    assert kinds(followed) == ["OPTED_OUT", "OPTED_IN", "OPTED_OUT"]
    assert [purpose for purpose, _ in said(followed)] == [
        "OPT_OUT_CONFIRMATION", "TRANSACTIONAL", "OPT_OUT_CONFIRMATION",
    ]  # fmt: skip
    assert ("default", ANN) in followed.changes.on
    assert not followed.changes.off


def test_start_of_somebody_who_is_not_opted_out_changes_nothing_and_is_answered() -> None:
    followed = follow(text("START"))

    assert said(followed) == [("TRANSACTIONAL", "You")]
    assert not followed.changes.record


@pytest.mark.parametrize("standing", [None, Standing(opted_out=True, confirmed=True)])
def test_help_is_answered_whatever_the_state(standing: Standing | None) -> None:
    assert said(follow(text("HELP"), standing=standing)) == [("HELP_REPLY", "Reply")]


def test_texts_are_taken_in_the_order_they_were_received() -> None:
    followed = follow(text("START", at_seconds=5), text("STOP", at_seconds=1))

    assert kinds(followed) == ["OPTED_OUT", "OPTED_IN"]
    assert [row.intent for row in followed.messages] == ["OPT_OUT", "OPT_IN"]


@pytest.mark.parametrize(
    ("words", "at_seconds", "acts"),
    [("STOP", -1, False), ("STOP", 0, True), ("STOP", 1, True),
     ("START", -1, False), ("START", 0, False), ("START", 1, True), ("HELP", -1, True)],
)  # fmt: skip
def test_a_text_that_comes_late_does_not_undo_a_later_one(
    words: str, at_seconds: float, acts: bool
) -> None:
    opted_out = words == "START"
    standing = Standing(opted_out=opted_out, confirmed=opted_out, last_time=NOON)

    followed = follow(text(words, at_seconds=at_seconds), standing=standing)

    assert bool(followed.replies) is acts
    assert bool(followed.changes.record) is (acts and words != "HELP")


def test_custom_keywords_do_what_they_say() -> None:
    followed = follow(
        text("Basta"), text("join", at_seconds=1), text("hours?", at_seconds=2),
        text("info", at_seconds=3), text("quiet", at_seconds=4),
    )  # fmt: skip

    assert kinds(followed) == ["OPTED_OUT", "OPTED_IN"]
    assert said(followed) == [
        ("OPT_OUT_CONFIRMATION", "Basta"), ("TRANSACTIONAL", "Welcome!"), ("TRANSACTIONAL", "9"),
        ("HELP_REPLY", "We"),
    ]  # fmt: skip
    matched = [match.keyword_id for match in followed.matches]
    assert matched == ["basta", "join", "hours", "info", "quiet"]


def test_without_two_way_only_stop_help_and_start_are_answered() -> None:
    followed = follow(text("hours"), text("STOP", at_seconds=1), two_way=False)

    assert said(followed) == [("OPT_OUT_CONFIRMATION", "You")]
    assert not followed.matches


def test_an_application_that_manages_opt_outs_itself_is_left_to_it() -> None:
    followed = follow(
        text("STOP"), text("HELP", at_seconds=1), text("hours", at_seconds=2), self_managed=True
    )

    assert said(followed) == [("TRANSACTIONAL", "9")]
    assert not followed.changes.record
    assert [row.intent for row in followed.messages] == ["OPT_OUT", "HELP", "KEYWORD_MATCH"]


def test_chatter_is_recorded_and_nothing_else() -> None:
    followed = follow(text("see you tomorrow"), text("don't stop", at_seconds=1))

    assert not followed.replies
    assert not followed.changes.record
    assert [(row.intent, row.flagged) for row in followed.messages] == [
        ("CHATTER", False), ("AMBIGUOUS", True),
    ]  # fmt: skip


@pytest.mark.parametrize("source", [NUMBER, "ACME", ""])
def test_nobody_answers_themselves_or_a_sender_that_takes_no_messages(source: str) -> None:
    followed = follow(text("STOP", source))

    assert not followed.replies
    assert kinds(followed) == ["OPTED_OUT"]


def test_a_short_code_is_answered() -> None:
    assert said(follow(text("HELP", "12345"))) == [("HELP_REPLY", "Reply")]


def test_a_word_is_answered_in_its_language() -> None:
    assert said(follow(text("ARRET"))) == [("OPT_OUT_CONFIRMATION", "Vous")]


def test_replies_with_one_text_are_one_set_and_each_person_gets_theirs_in_order() -> None:
    followed = follow(
        text("STOP"), text("STOP", BOB, 1), text("HELP", at_seconds=2), text("HELP", BOB, 3)
    )

    first, second = sets.sets("shop", followed.replies, NOON)

    assert (first.purpose, first.addresses) == ("OPT_OUT_CONFIRMATION", [ANN, BOB])
    assert (second.purpose, second.addresses) == ("HELP_REPLY", [ANN, BOB])


def test_a_set_is_bounded_and_its_request_id_follows_from_what_it_answers() -> None:
    followed = follow(*(text("STOP", f"+1206{number:07}", number) for number in range(1, 1_202)))

    made = sets.sets("shop", followed.replies, NOON)
    again = sets.sets("shop", followed.replies, NOON + timedelta(hours=1))

    assert [len(row.addresses) for row in made] == [500, 500, 201]
    assert [row.request_id for row in made] == [row.request_id for row in again]
    assert len({row.request_id for row in made}) == 3


def test_a_yes_opts_in_only_who_is_out() -> None:
    settings = {"rules": rule_sets.TWILIO, "standing": Standing(opted_out=True, confirmed=True)}

    assert kinds(follow(text("yes"), **settings)) == ["OPTED_IN"]  # type: ignore[arg-type]
    nobody_is_out = follow(text("yes"), rules=rule_sets.TWILIO)
    assert (kinds(nobody_is_out), said(nobody_is_out)) == ([], [])
    assert nobody_is_out.messages[0].intent == "CHATTER"


def test_where_the_rule_set_says_silence_an_unclear_stop_opts_out_and_is_flagged() -> None:
    asked = follow(text("stop by tomorrow"), rules=rule_sets.US)
    silenced = follow(text("stop by tomorrow"), rules=rule_sets.AWS)

    assert (kinds(asked), asked.messages[0].flagged) == ([], True)
    assert (kinds(silenced), silenced.messages[0].flagged) == (["OPTED_OUT"], True)
    assert [purpose for purpose, _ in said(silenced)] == ["OPT_OUT_CONFIRMATION"]
