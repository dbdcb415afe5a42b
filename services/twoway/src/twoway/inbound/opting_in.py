"""Double opt-ins: who wants to be written to is asked back, and only their yes opts in. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import lru_cache

from twoway.consent.changes import Person
from twoway.inbound.situation import Number
from twoway.inbound.texts import Text
from twoway.intents import Meaning
from twoway.intents.understanding import Intent, words_of
from twoway.keywords.tables import KeywordRow, OptInQuestionRow

YES = ("YES", "Y")
"""What confirms where the keyword says nothing."""

_COURTESY = frozenset(
    {
        *("please", "pls", "thanks", "thank", "you", "thx", "ty"),
        *("merci", "svp", "sil", "vous", "plait"),
        *("gracias", "por", "favor", "danke", "bitte"),
    }
)

Asked = tuple[str, str]
"""Who keeps the keyword, and the address of whoever was asked."""


class Step(Enum):
    """What a text is to a double opt-in."""

    NONE = auto()
    ASK = auto()
    WAIT = auto()
    """The question was asked already and may still be answered."""
    CONFIRM = auto()


@dataclass(slots=True)
class Questions:
    """The questions that are open, and how texts change that. One for each number and person."""

    open: dict[Asked, OptInQuestionRow] = field(default_factory=dict)
    asked: dict[Asked, OptInQuestionRow] = field(default_factory=dict)
    ended: set[Asked] = field(default_factory=set)

    def ask(self, question: OptInQuestionRow) -> None:
        """Somebody is asked; an older question is forgotten."""
        key = (question.keeper, question.source_address)
        self.open[key] = self.asked[key] = question
        self.ended.discard(key)

    def end(self, key: Asked) -> None:
        """A question has its answer, or is not asked any more."""
        if self.open.pop(key, None) is not None:
            self.asked.pop(key, None)
            self.ended.add(key)

    def withdraw(self, person: Person, time: datetime) -> None:
        """Somebody opts out: what they were asked until then, about the same list, ends."""
        for key, question in list(self.open.items()):
            about = (question.opt_out_list, question.source_address)
            if about == person and question.ask_time <= time:
                self.end(key)


def step(number: Number, question: OptInQuestionRow | None, text: Text, meaning: Meaning) -> Step:
    """What a text of this meaning does when this question is open."""
    answerable = question is not None and text.receive_time < question.expire_time
    if question is not None and answerable and _confirms(number, question, text, meaning):
        return Step.CONFIRM
    keyword = number.keyword(meaning.keyword_id)
    if meaning.intent is not Intent.OPT_IN or keyword is None or not keyword.double_opt_in:
        return Step.NONE
    again = question is not None and answerable and question.keyword_id == keyword.keyword_id
    return Step.WAIT if again else Step.ASK


def question_of(
    application: str, number: Number, keyword: KeywordRow, text: Text, question_text: str
) -> OptInQuestionRow:
    """The question that a text is answered with."""
    window = timedelta(seconds=keyword.double_opt_in_window_seconds)
    return OptInQuestionRow(
        application=application,
        keeper=number.keeper,
        source_address=text.source,
        opt_out_list=number.opt_out_list,
        keyword_id=keyword.keyword_id,
        requested_text=text.text,
        question_text=question_text,
        ask_time=text.receive_time,
        expire_time=text.receive_time + window,
    )


def is_yes(text: str, confirming: Iterable[str]) -> bool:
    """Whether the whole text is one of the confirming words; none are YES and Y."""
    words = tuple(words_of(text))
    return any(
        words[: len(yes)] == yes and _COURTESY.issuperset(words[len(yes) :])
        for yes in map(_words, tuple(confirming) or YES)
    )


def _confirms(number: Number, question: OptInQuestionRow, text: Text, meaning: Meaning) -> bool:
    keyword = number.keyword(question.keyword_id)
    return (
        keyword is not None
        and meaning.intent is not Intent.OPT_OUT
        and question.ask_time <= text.receive_time
        and question.opt_out_list == number.opt_out_list
        and is_yes(text.text, keyword.double_opt_in_words)
    )


@lru_cache(maxsize=4096)
def _words(yes: str) -> tuple[str, ...]:
    return tuple(words_of(yes))
