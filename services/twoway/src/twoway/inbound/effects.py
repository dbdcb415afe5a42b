"""What follows from texts: who is opted out or in, and who is answered with what. Pure.

Exactly one confirmation per opt-out: somebody who is opted out and was told so gets none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from twoway import addresses
from twoway.consent.changes import KEYWORD, Cause, Changes, Person
from twoway.inbound.situation import Number, Situation, Standing
from twoway.inbound.texts import Text
from twoway.intents import Action, Meaning, understand
from twoway.intents.understanding import CHATTER, HELP, START, STOP, Intent
from twoway.keywords import matching
from twoway.replies.sets import Reply
from twoway.tables import InboundMessage

OPT_OUT_CONFIRMATION, HELP_REPLY = "OPT_OUT_CONFIRMATION", "HELP_REPLY"
TRANSACTIONAL = "TRANSACTIONAL"


@dataclass(frozen=True, slots=True)
class Match:
    """A text that matched a custom keyword."""

    text: Text
    keyword_id: str
    keyword: str
    action: Action


@dataclass(slots=True)
class Effects:
    """Everything that texts of one application lead to."""

    changes: Changes
    messages: list[InboundMessage] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)


def follow(situation: Situation, texts: Iterable[Text]) -> Effects:
    """The effects of texts, in the order they were received."""
    effects = Effects(Changes(situation.application))
    now: dict[Person, Standing] = {}
    for text in sorted(texts, key=lambda text: text.receive_time):
        _take(situation, now, text, effects)
    return effects


def _take(situation: Situation, now: dict[Person, Standing], text: Text, effects: Effects) -> None:
    number = situation.number(text.destination)
    person = (number.opt_out_list, text.source)
    before = now.get(person) or situation.standing(person)
    meaning = _meaning(number, text, before)
    late = _is_late(meaning.intent, text.receive_time, situation.standing(person))
    acts = not late and not (number.self_managed and meaning.keyword_id in (STOP, HELP, START))
    after = _after(meaning.intent, before) if acts else before
    changed = after.opted_out != before.opted_out
    if acts and _is_answered(meaning, before, text):
        _answer(number, meaning, text, effects)
    _change(effects.changes, person, before, after, text)
    _match(number, meaning, text, effects)
    now[person] = after
    effects.messages.append(_row(situation.application, number, text, meaning, changed))


def _meaning(number: Number, text: Text, before: Standing) -> Meaning:
    """What the text means from somebody who stands so: a YES opts in only who is out."""
    keywords = matching.in_force(number.keywords, text.receive_time) if number.two_way else ()
    meaning = understand(text.text, keywords, number.rules)
    return CHATTER if meaning.only_opted_out and not before.opted_out else meaning


def _is_late(intent: Intent, receive_time: datetime, standing: Standing) -> bool:
    """Whether a later text of the same person has decided already; with equal times, STOP wins."""
    if standing.last_time is None:
        return False
    if intent is Intent.OPT_OUT:
        return receive_time < standing.last_time
    return intent is Intent.OPT_IN and receive_time <= standing.last_time


def _after(intent: Intent, before: Standing) -> Standing:
    if intent is Intent.OPT_OUT:
        return replace(before, opted_out=True, confirmed=True)
    if intent is Intent.OPT_IN:
        return replace(before, opted_out=False, confirmed=False)
    return before


def _is_answered(meaning: Meaning, before: Standing, text: Text) -> bool:
    """Whether a text gets its reply: not a confirmed opt-out again, and nobody answers themselves
    or a sender that takes no messages."""
    if meaning.intent is Intent.OPT_OUT and before.opted_out and before.confirmed:
        return False
    return text.source != text.destination and addresses.is_phone(text.source)


def _answer(number: Number, meaning: Meaning, text: Text, effects: Effects) -> None:
    reply_text = matching.reply_text(number.keyword_rows, meaning)
    if reply_text:
        effects.replies.append(
            Reply(
                purpose=_purpose(meaning),
                reply_text=reply_text,
                origination_identity=text.destination,
                address=text.source,
                inbound_id=text.inbound_id,
            )
        )


def _purpose(meaning: Meaning) -> str:
    if meaning.intent is Intent.OPT_OUT:
        return OPT_OUT_CONFIRMATION
    if meaning.intent is Intent.HELP or meaning.asks_help:
        return HELP_REPLY
    return TRANSACTIONAL


def _change(
    changes: Changes, person: Person, before: Standing, after: Standing, text: Text
) -> None:
    if after == before:
        return
    cause = Cause(KEYWORD, text.receive_time, text.text, text.destination, text.inbound_id)
    if after.opted_out == before.opted_out:
        # A caller's entry becomes the person's own: what they wrote is the better proof.
        changes.place(person, cause, confirmed=True)
    elif after.opted_out:
        changes.opt_out(person, cause, confirmed=True)
    else:
        changes.opt_in(person, cause)


def _match(number: Number, meaning: Meaning, text: Text, effects: Effects) -> None:
    for row in number.keyword_rows:
        if row.keyword_id == meaning.keyword_id and row.keyword_id not in (STOP, HELP, START):
            match = Match(text, row.keyword_id, row.keyword, Action(row.action))
            effects.matches.append(match)


def _row(
    application: str, number: Number, text: Text, meaning: Meaning, changed: bool
) -> InboundMessage:
    return InboundMessage(
        application=application,
        inbound_message=text.inbound_id,
        source_address=text.source,
        destination_address=text.destination,
        text=text.text,
        parts=text.parts,
        connection=text.connection,
        receive_time=text.receive_time,
        intent=meaning.intent,
        flagged=meaning.flagged,
        keyword_id=meaning.keyword_id if number.registered else "",
        opt_out_list=number.opt_out_list,
        consent_changed=changed,
    )
