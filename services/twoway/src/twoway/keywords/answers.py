"""What a keyword answers: its words in the language of who wrote, and what they may say. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twoway.intents import Meaning
from twoway.intents.understanding import START, words_of
from twoway.keywords.defaults import DEFAULTS, Default
from twoway.keywords.tables import KeywordRow

REST_CHARACTERS_MAX = 300

KEYWORD_VARIABLE, REST_VARIABLE = "Text.Keyword", "Text.Rest"
"""Variables of the text that is answered."""

Texts = tuple[tuple[str, str], ...]
"""A mapping that can be a key."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said: a text, or a stored template instead of it.

    `localized` are for people whose own words do not tell their language; `text` is for all others,
    and for who has none of these. `defaults` fill variables that the person has no value for.
    """

    text: str
    template: str = ""
    localized: Texts = ()
    defaults: Texts = ()

    @property
    def has_variables(self) -> bool:
        """Whether it has to be known whose text is answered."""
        texts = (self.text, *(text for _, text in self.localized))
        return bool(self.template) or any("{{" in text for text in texts)


NOTHING = Wording("")


def wording(rows: Iterable[KeywordRow], meaning: Meaning, *, confirmed: bool = False) -> Wording:
    """What a text of this meaning is answered with; NOTHING when with nothing.

    With `confirmed` it is the yes of a double opt-in, which START answers where the keyword does
    not.
    """
    own = {row.keyword_id: row for row in rows}
    said: KeywordRow | Default | None = own.get(meaning.keyword_id)
    defaults = said.default_substitutions if isinstance(said, KeywordRow) else {}
    if isinstance(said, KeywordRow) and confirmed:
        if said.confirmed_reply_text:
            translations = said.localized_confirmed_reply_texts
            return _chosen(said.confirmed_reply_text, translations, meaning.language, defaults)
        said, defaults = own.get(START), {}
    elif isinstance(said, KeywordRow) and said.template:
        return Wording("", said.template, defaults=_texts(defaults))
    said = said or DEFAULTS.get(START if confirmed else meaning.keyword_id)
    if said is None:
        return NOTHING
    return _chosen(said.reply_text, said.localized_reply_texts, meaning.language, defaults)


def substitutions(text: str, keyword: str) -> dict[str, str]:
    """Values of the variables of a text that begins with a keyword."""
    begun, rest = _parted(text, len(words_of(keyword)))
    return {KEYWORD_VARIABLE: begun, REST_VARIABLE: rest[:REST_CHARACTERS_MAX]}


def _chosen(
    text: str, localized: Mapping[str, str], language: str, defaults: Mapping[str, str]
) -> Wording:
    if language in localized:
        return Wording(localized[language], defaults=_texts(defaults))
    return Wording(text, localized=_texts(localized), defaults=_texts(defaults))


def _texts(mapping: Mapping[str, str]) -> Texts:
    return tuple(sorted(mapping.items()))


def _parted(text: str, count: int) -> tuple[str, str]:
    """The text up to where it has so many words, and what follows, as it was written."""
    if not count:
        return "", text.strip()
    pieces = text.split()
    for end in range(1, len(pieces) + 1):
        begun = " ".join(pieces[:end])
        if len(words_of(begun)) >= count:
            return begun, " ".join(pieces[end:])
    return " ".join(pieces), ""
