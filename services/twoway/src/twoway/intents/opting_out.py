"""Whether words ask for silence: a known phrase, with nothing around it that could turn it."""

from collections.abc import Iterator, Sequence

from twoway.intents import rule_sets, vocabulary
from twoway.intents.rule_sets import RuleSet

_LENGTH_MAX = max(
    len(phrase.split()) for phrase in [*rule_sets.EVERY.families, *rule_sets.EVERY.requests]
)
_THREATS = ("or i", "or ill", "or we", "or im")
_MENTIONS: frozenset[str] = frozenset().union(
    rule_sets.EVERY.families,
    rule_sets.EVERY.requests,
    vocabulary.MENTIONS,
    vocabulary.MENTIONED_PHRASES,
)


def phrase(words: Sequence[str], rules: RuleSet) -> str | None:
    """The phrase that makes the words an opt-out, or None when they are none."""
    return _fitting(_before_threat(words), rules.families) or _request(words, rules.requests)


def beginning(words: Sequence[str], rules: RuleSet) -> str | None:
    """The phrase that the words begin with, whatever follows."""
    return _longest_at(words, 0, rules.families)


def is_mentioned(words: Sequence[str], rules: RuleSet) -> bool:
    """Whether opting out is spoken of, in the words of any rule set: a person should read it.

    The words are no opt-out by `rules`.
    """
    if rules is not rule_sets.EVERY and phrase(words, rule_sets.EVERY) is not None:
        return True
    if words[0] in rule_sets.EVERY.families or (
        words[-1] in vocabulary.NARROW_WORDS and "to" in words[-2:]
    ):
        return True
    if not vocabulary.MENTIONS.isdisjoint(words):
        return True
    text = f" {' '.join(words)} "
    return any(f" {mentioned} " in text for mentioned in vocabulary.MENTIONED_PHRASES)


def mentions(words: Sequence[str]) -> Iterator[str]:
    """What speaks of opting out, in the words of any rule set; a word with other uses does so where
    it begins the text."""
    for start in range(len(words)):
        found = _longest_at(words, start, _MENTIONS)
        if found is not None and (start == 0 or found not in vocabulary.NARROW_WORDS):
            yield found


def _fitting(words: Sequence[str], families: dict[str, vocabulary.Family]) -> str | None:
    """A phrase with only such words before and after it as its family allows."""
    for start in range(len(words)):
        found = _longest_at(words, start, families)
        if found is not None:
            after = words[start + len(found.split()) :]
            if _fits(found, families[found], words[:start], after):
                return found
        if words[start] not in vocabulary.WILLING:
            return None
    return None


def _fits(
    found: str, family: vocabulary.Family, before: Sequence[str], after: Sequence[str]
) -> bool:
    about = not family.about or not family.about.isdisjoint([*found.split(), *after])
    return about and family.before.issuperset(before) and family.after.issuperset(after)


def _request(words: Sequence[str], requests: frozenset[str]) -> str | None:
    """A request that is clear wherever it stands, unless a word before it turns it."""
    for start in range(len(words)):
        if words[start] in vocabulary.NEGATIONS:
            return None
        found = _longest_at(words, start, requests)
        if found is not None:
            return found
    return None


def _longest_at(
    words: Sequence[str], start: int, phrases: frozenset[str] | dict[str, vocabulary.Family]
) -> str | None:
    for length in range(min(_LENGTH_MAX, len(words) - start), 0, -1):
        candidate = " ".join(words[start : start + length])
        if candidate in phrases:
            return candidate
    return None


def _before_threat(words: Sequence[str]) -> Sequence[str]:
    """Without what follows "or": "stop or I will call my lawyer" asks to stop."""
    for position in range(1, len(words) - 1):
        if f"{words[position]} {words[position + 1]}" in _THREATS:
            return words[:position]
    return words
