"""By whose rules a text opts out, opts in or asks for help, as data. The names are the contract's.

What any set would take for an opt-out is never mere chatter in another: it is flagged for a person.
"""

from dataclasses import dataclass
from enum import StrEnum

from twoway.intents import vocabulary as v
from twoway.intents.vocabulary import Family


class Policy(StrEnum):
    """What becomes of a text that mentions stopping but is no clear opt-out. A person is always
    asked to look at it."""

    ASK = "ASK"
    """Nothing happens until somebody has looked."""
    SILENCE_IF_FIRST = "SILENCE_IF_FIRST"
    """It opts out if it begins with an opt-out word, as Amazon Pinpoint matched."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """One reading of texts.

    `families` are phrases that opt out with the words allowed around them, `requests` such as opt
    out wherever they stand. `opt_ins_of_opted_out` opt in only who is out: people write them for
    other reasons.
    """

    families: dict[str, Family]
    requests: frozenset[str]
    opt_ins: frozenset[str]
    help_words: frozenset[str]
    opt_ins_of_opted_out: frozenset[str] = frozenset()
    ambiguous: Policy = Policy.ASK


def _by_phrase(words: frozenset[str], *, plain_language: bool) -> dict[str, Family]:
    families = v.of_words(v.with_spellings(words))
    every = (*families, *v.PLAIN_LANGUAGE) if plain_language else families
    return {phrase: family for family in every for phrase in family.phrases}


_ENGLISH = v.FCC_WORDS | v.CTIA_WORDS | v.REASONABLE_WORDS
_SPANISH = v.SPANISH_WORDS | v.SPANISH_NARROW_WORDS
_START, _HELP = frozenset({"start"}), frozenset({"help"})

US = RuleSet(
    families=_by_phrase(_ENGLISH | _SPANISH, plain_language=True),
    requests=v.REQUESTS,
    opt_ins=v.OPT_IN_WORDS | v.SPANISH_OPT_IN_WORDS,
    help_words=_HELP | {"info", "ayuda"},
)
"""47 CFR 64.1200(a)(10), CTIA, and what a reasonable person would understand, also in Spanish."""

CA = RuleSet(
    families=_by_phrase(_ENGLISH | v.FRENCH_WORDS, plain_language=True),
    requests=v.REQUESTS | v.FRENCH_REQUESTS,
    opt_ins=v.OPT_IN_WORDS | v.FRENCH_OPT_IN_WORDS,
    help_words=_HELP | {"info", "aide"},
)
"""Canadian common short codes (CWTA 3.9): English and French."""

AWS = RuleSet(
    families=_by_phrase(v.AWS_WORDS, plain_language=False),
    requests=frozenset(),
    opt_ins=_START | {"unstop"},
    help_words=_HELP,
    ambiguous=Policy.SILENCE_IF_FIRST,
)
"""Amazon Pinpoint, keywords-required; a text has a keyword when it begins with it."""

TWILIO = RuleSet(
    families=_by_phrase(v.TWILIO_WORDS, plain_language=False),
    requests=frozenset(),
    opt_ins=_START | {"unstop"},
    opt_ins_of_opted_out=frozenset({"yes"}),
    help_words=_HELP | {"info"},
)
"""Twilio, default keywords."""

CUSTOM = RuleSet(
    families=_by_phrase(frozenset({"stop"}), plain_language=False),
    requests=frozenset(),
    opt_ins=_START,
    help_words=_HELP,
)
"""STOP, HELP and START alone; the number's own keywords say the rest."""

EVERY = RuleSet(
    families=_by_phrase(
        _ENGLISH | v.AWS_WORDS | v.TWILIO_WORDS | v.FRENCH_WORDS | _SPANISH | v.GERMAN_WORDS,
        plain_language=True,
    ),
    requests=v.REQUESTS | v.FRENCH_REQUESTS,
    opt_ins=v.OPT_IN_WORDS | v.FRENCH_OPT_IN_WORDS | v.SPANISH_OPT_IN_WORDS,
    help_words=frozenset(v.HELP_LANGUAGES),
)
"""The words of all, where nobody says: silence is the smaller mistake. Without Twilio's YES."""

RULE_SETS = {"US": US, "CA": CA, "AWS": AWS, "TWILIO": TWILIO, "CUSTOM": CUSTOM}
"""By the names of the contract."""


def of(name: str) -> RuleSet:
    """The set of that name; that of all words for the empty name."""
    return RULE_SETS[name] if name else EVERY
