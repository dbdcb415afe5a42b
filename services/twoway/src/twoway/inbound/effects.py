"""What follows from texts: who is opted out or in, and who is answered with what. Pure.

Exactly one confirmation per opt-out: somebody who is opted out and was told so gets none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from twoway import addresses
from twoway.consent.changes import KEYWORD, Cause, Changes, Person
from twoway.inbound import opting_in, remarks
from twoway.inbound.loop_guard import LoopGuard
from twoway.inbound.opting_in import Questions, Step
from twoway.inbound.situation import Number, Situation, Standing
from twoway.inbound.texts import Text
from twoway.intents import Action, Meaning, understand
from twoway.intents.understanding import CHATTER, HELP, START, STOP, Intent
from twoway.keywords import answers, matching
from twoway.keywords.answers import Wording
from twoway.keywords.tables import KeywordRow, OptInQuestionRow
from twoway.replies.sets import Reply
from twoway.tables import InboundMessage

OPT_OUT_CONFIRMATION, HELP_REPLY = "OPT_OUT_CONFIRMATION", "HELP_REPLY"
TRANSACTIONAL, OPT_IN_QUESTION = "TRANSACTIONAL", "OPT_IN_QUESTION"

OWED = (OPT_OUT_CONFIRMATION, HELP_REPLY)
"""Purposes of answers that everybody is owed."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text that matched a custom keyword; with `awaited`, of one that asks before it opts in."""

    text: Text
    keyword_id: str
    keyword: str
    action: Action
    awaited: bool = False


@dataclass(slots=True)
class Effects:
    """Everything that texts of one application lead to."""

    changes: Changes
    messages: list[InboundMessage] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    questions: Questions = field(default_factory=Questions)
    guard: LoopGuard = field(default_factory=lambda: LoopGuard(""))


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it is understood: what it means, and what it is to a double opt-in, of which
    `question` is open."""

    text: Text
    meaning: Meaning
    step: Step
    question: OptInQuestionRow | None = None

    @property
    def intent(self) -> Intent:
        """What is recorded: who is only asked has not opted in."""
        asked = self.step in (Step.ASK, Step.WAIT)
        return Intent.KEYWORD_MATCH if asked else self.meaning.intent


def follow(situation: Situation, texts: Iterable[Text]) -> Effects:
    """The effects of texts, in the order they were received."""
    guard = situation.guard or LoopGuard(situation.application)
    effects = Effects(Changes(situation.application), guard=guard)
    for question in situation.questions:
        effects.questions.open[question.keeper, question.source_address] = question
    now: dict[Person, Standing] = {}
    for text in sorted(texts, key=lambda text: text.receive_time):
        _take(situation, now, text, effects)
    return effects


def _take(situation: Situation, now: dict[Person, Standing], text: Text, effects: Effects) -> None:
    number = situation.number(text.destination)
    person = (number.opt_out_list, text.source)
    before = now.get(person) or situation.standing(person)
    reading = _read(number, text, before, effects.questions)
    meaning = reading.meaning
    late = _is_late(meaning.intent, text.receive_time, situation.standing(person))
    acts = not late and not (number.self_managed and meaning.keyword_id in (STOP, HELP, START))
    after = _after(reading.intent, before) if acts else before
    confirmed = acts and reading.step is Step.CONFIRM
    changed = after.opted_out != before.opted_out or confirmed
    withheld = False
    if acts and _is_answered(reading, before):
        withheld = not _answer(situation.application, number, reading, before, effects)
    if withheld and reading.intent is Intent.OPT_OUT:
        # So that another one is confirmed, once the person is no robot any more.
        after = replace(after, confirmed=False)
    _change(effects.changes, person, before, after, reading, confirmed)
    _close(effects.questions, number, person, reading, confirmed)
    _match(number, reading, effects)
    now[person] = after
    row = _row(situation.application, number, reading, changed)
    row.remarks = " ".join(_remarks(number, text, withheld))
    effects.messages.append(row)


def _read(number: Number, text: Text, before: Standing, questions: Questions) -> Reading:
    meaning = _meaning(number, text, before)
    question = questions.open.get((number.keeper, text.source))
    step = opting_in.step(number, question, text, meaning)
    if question is not None and step is Step.CONFIRM:
        meaning = Meaning(Intent.OPT_IN, question.keyword_id)
    return Reading(text, meaning, step, question)


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


def _is_answered(reading: Reading, before: Standing) -> bool:
    """Whether a text gets its reply: not a confirmed opt-out again, nor who was asked already, and
    nobody answers themselves or a sender that takes no messages."""
    if reading.step is Step.WAIT:
        return False
    if reading.intent is Intent.OPT_OUT and before.opted_out and before.confirmed:
        return False
    text = reading.text
    return text.source != text.destination and addresses.is_phone(text.source)


def _answer(
    application: str, number: Number, reading: Reading, before: Standing, effects: Effects
) -> bool:
    """Promise the answer, if there is one; False where it is withheld from a robot."""
    text, meaning = reading.text, reading.meaning
    confirmed = reading.step is Step.CONFIRM
    said = number.wording(meaning, confirmed=confirmed)
    if said == answers.NOTHING:
        return True
    purpose = _purpose(reading, before)
    if not effects.guard.allows(text, owed=purpose in OWED):
        return False
    keyword = number.keyword(meaning.keyword_id)
    effects.replies.append(
        Reply(
            purpose=purpose,
            reply_text=said.text,
            origination_identity=text.destination,
            address=text.source,
            inbound_id=text.inbound_id,
            wording=said,
            substitutions=_substitutions(reading, said, keyword),
        )
    )
    if reading.step is Step.ASK and keyword is not None:
        effects.questions.ask(
            opting_in.question_of(application, number, keyword, text, said.text or said.template)
        )
    return True


def _remarks(number: Number, text: Text, withheld: bool) -> Iterator[str]:
    yield from text.remarks
    registered = number.registered
    yield from remarks.of_addresses(text.source, text.destination, registered=registered)
    if withheld:
        yield remarks.REPLY_WITHHELD


def _substitutions(
    reading: Reading, said: Wording, keyword: KeywordRow | None
) -> Mapping[str, str]:
    """What the person wrote, where the answer may repeat it. A yes follows no keyword."""
    if not said.has_variables:
        return {}
    begun = keyword.keyword if keyword and reading.step is not Step.CONFIRM else ""
    return answers.substitutions(reading.text.text, begun)


def _purpose(reading: Reading, before: Standing) -> str:
    if reading.intent is Intent.OPT_OUT:
        return OPT_OUT_CONFIRMATION
    if reading.intent is Intent.HELP or reading.meaning.asks_help:
        return HELP_REPLY
    # Whoever is not out must not be asked after a STOP that overtakes the question.
    return OPT_IN_QUESTION if reading.step is Step.ASK and before.opted_out else TRANSACTIONAL


def _change(
    changes: Changes,
    person: Person,
    before: Standing,
    after: Standing,
    reading: Reading,
    confirmed: bool,
) -> None:
    cause = _cause(reading, reading.question if confirmed else None)
    if confirmed:
        # Also of who was never out: the record is the proof that they wanted it.
        changes.opt_in(person, cause)
    elif after == before:
        return
    elif after.opted_out == before.opted_out:
        # A caller's entry becomes the person's own: what they wrote is the better proof.
        changes.place(person, cause, confirmed=after.confirmed)
    elif after.opted_out:
        changes.opt_out(person, cause, confirmed=after.confirmed)
    else:
        changes.opt_in(person, cause)


def _cause(reading: Reading, question: OptInQuestionRow | None) -> Cause:
    text = reading.text
    return Cause(
        KEYWORD,
        text.receive_time,
        text.text,
        text.destination,
        text.inbound_id,
        requested_text=question.requested_text if question else "",
        question_text=question.question_text if question else "",
    )


def _close(
    questions: Questions, number: Number, person: Person, reading: Reading, confirmed: bool
) -> None:
    if reading.intent is Intent.OPT_OUT:
        questions.withdraw(person, reading.text.receive_time)
    elif confirmed:
        questions.end((number.keeper, reading.text.source))


def _match(number: Number, reading: Reading, effects: Effects) -> None:
    row = number.keyword(reading.meaning.keyword_id)
    if row is not None and row.keyword_id not in (STOP, HELP, START):
        awaited = reading.step in (Step.ASK, Step.WAIT)
        match = Match(reading.text, row.keyword_id, row.keyword, Action(row.action), awaited)
        effects.matches.append(match)


def _row(application: str, number: Number, reading: Reading, changed: bool) -> InboundMessage:
    text, meaning = reading.text, reading.meaning
    return InboundMessage(
        application=application,
        inbound_message=text.inbound_id,
        source_address=text.source,
        destination_address=text.destination,
        text=text.text,
        parts=text.parts,
        connection=text.connection,
        receive_time=text.receive_time,
        intent=reading.intent,
        flagged=meaning.flagged,
        keyword_id=meaning.keyword_id if number.registered else "",
        opt_out_list=number.opt_out_list,
        consent_changed=changed,
    )
