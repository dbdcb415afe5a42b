"""From text to meaning: STOP first, then the number's keywords, then HELP and START."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from twoway.intents import opting_out, vocabulary
from twoway.intents.normalization import normalize
from twoway.intents.rule_sets import EVERY, Policy, RuleSet


class Intent(StrEnum):
    """What a text means; the names are those of the contract."""

    OPT_OUT = "OPT_OUT"
    OPT_IN = "OPT_IN"
    HELP = "HELP"
    KEYWORD_MATCH = "KEYWORD_MATCH"
    AMBIGUOUS = "AMBIGUOUS"
    CHATTER = "CHATTER"


class Action(StrEnum):
    """What a keyword does; the names are those of the contract."""

    AUTOMATIC_RESPONSE = "AUTOMATIC_RESPONSE"
    OPT_OUT = "OPT_OUT"
    OPT_IN = "OPT_IN"
    HELP = "HELP"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A custom keyword as it is matched: its id, its words in normalised form, what it does, and
    from when until when, where that is limited."""

    keyword_id: str
    words: tuple[str, ...]
    action: Action
    start_time: datetime | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means.

    `keyword_id` is the keyword that answers, a default one's included. `asks_help` is set where a
    custom keyword answers a HELP word, so that it does so whatever the subscription state.
    `only_opted_out` marks an opt-in that is chatter from anybody who is not out.
    """

    intent: Intent
    keyword_id: str = ""
    language: str = ""
    flagged: bool = False
    asks_help: bool = False
    only_opted_out: bool = False


STOP, HELP, START = "stop", "help", "start"
"""Ids of the keywords that every number has."""

CHATTER = Meaning(Intent.CHATTER)
"""Nothing to act on."""

_INTENTS = {
    Action.AUTOMATIC_RESPONSE: Intent.KEYWORD_MATCH,
    Action.OPT_OUT: Intent.OPT_OUT,
    Action.OPT_IN: Intent.OPT_IN,
    Action.HELP: Intent.HELP,
}


def understand(text: str, keywords: Sequence[Keyword] = (), rules: RuleSet = EVERY) -> Meaning:
    """What a text means to a number with these custom keywords and this rule set.

    Nothing comes before an opt-out: a keyword that the text begins with may only lend it its reply.
    """
    words = words_of(text)
    if not words:
        return CHATTER
    matched = longest_match(words, keywords)
    phrase = opting_out.phrase(words, rules)
    if phrase is not None:
        own = matched if matched and matched.action is Action.OPT_OUT else None
        keyword_id = own.keyword_id if own else STOP
        return Meaning(Intent.OPT_OUT, keyword_id, vocabulary.language_of(phrase))
    if matched is not None:
        asks_help = words[0] in vocabulary.HELP_LANGUAGES
        language = vocabulary.language_of_word(words[0])
        return Meaning(_INTENTS[matched.action], matched.keyword_id, language, asks_help=asks_help)
    return _without_keyword(words, rules)


def language_of_mention(text: str) -> str:
    """The language in which a text speaks of opting out, as BCP 47: that of the first words that
    tell one; empty where none do, as in English."""
    languages = map(vocabulary.language_of, opting_out.mentions(words_of(text)))
    return next(filter(None, languages), "")


def words_of(text: str) -> list[str]:
    """The words of a text in normalised form; "S T O P" and "S.T.O.P." are one word."""
    words = normalize(text).split()
    spelled = len(words) > 2 and all(len(word) == 1 for word in words)
    return ["".join(words)] if spelled else words


def longest_match(words: Sequence[str], keywords: Sequence[Keyword]) -> Keyword | None:
    """The keyword with the most words that a text begins with; of two alike the first by id."""
    fitting = [
        keyword for keyword in keywords if tuple(words[: len(keyword.words)]) == keyword.words
    ]
    return min(fitting, key=lambda one: (-len(one.words), one.keyword_id), default=None)


def _without_keyword(words: list[str], rules: RuleSet) -> Meaning:
    """HELP, START, or something that only mentions stopping."""
    if words[0] in rules.help_words:
        return Meaning(Intent.HELP, HELP, vocabulary.HELP_LANGUAGES[words[0]])
    opt_in = _opt_in(words, rules)
    if opt_in is not None:
        return Meaning(Intent.OPT_IN, START, vocabulary.language_of_opt_in(opt_in))
    if " ".join(words) in rules.opt_ins_of_opted_out:
        return Meaning(Intent.OPT_IN, START, only_opted_out=True)
    return _ambiguous(words, rules) if opting_out.is_mentioned(words, rules) else CHATTER


def _ambiguous(words: list[str], rules: RuleSet) -> Meaning:
    """Something that mentions stopping, by the policy of the rule set; a person should look."""
    phrase = opting_out.beginning(words, rules)
    if rules.ambiguous is Policy.SILENCE_IF_FIRST and phrase is not None:
        return Meaning(Intent.OPT_OUT, STOP, vocabulary.language_of(phrase), flagged=True)
    return Meaning(Intent.AMBIGUOUS, flagged=True)


def _opt_in(words: list[str], rules: RuleSet) -> str | None:
    core = [word for word in words if word not in vocabulary.OPT_IN_OBJECTS]
    phrases = (" ".join(one) for one in (core, words))
    return next((phrase for phrase in phrases if phrase in rules.opt_ins), None)
