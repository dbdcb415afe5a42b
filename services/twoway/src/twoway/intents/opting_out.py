"""Whether words ask for silence: a known phrase, with nothing around it that could turn it."""

from collections.abc import Sequence

from twoway.intents import vocabulary

_FAMILIES = vocabulary.by_phrase()
_LENGTH_MAX = max(len(phrase.split()) for phrase in [*_FAMILIES, *vocabulary.REQUESTS])
_THREATS = ("or i", "or ill", "or we", "or im")


def phrase(words: Sequence[str]) -> str | None:
    """The phrase that makes the words an opt-out, or None when they are none."""
    return _fitting(_before_threat(words)) or _request(words)


def is_mentioned(words: Sequence[str]) -> bool:
    """Whether opting out is spoken of, so that a person should read it."""
    if words[0] in _FAMILIES or (words[-1] in vocabulary.NARROW_WORDS and "to" in words[-2:]):
        return True
    if not vocabulary.MENTIONS.isdisjoint(words):
        return True
    text = f" {' '.join(words)} "
    return any(f" {mentioned} " in text for mentioned in vocabulary.MENTIONED_PHRASES)


def _fitting(words: Sequence[str]) -> str | None:
    """A phrase with only such words before and after it as its family allows."""
    for start in range(len(words)):
        found = _longest_at(words, start, _FAMILIES)
        if found is not None and _fits(found, words[:start], words[start + len(found.split()) :]):
            return found
        if words[start] not in vocabulary.WILLING:
            return None
    return None


def _fits(found: str, before: Sequence[str], after: Sequence[str]) -> bool:
    family = _FAMILIES[found]
    about = not family.about or not family.about.isdisjoint([*found.split(), *after])
    return about and family.before.issuperset(before) and family.after.issuperset(after)


def _request(words: Sequence[str]) -> str | None:
    """A request that is clear wherever it stands, unless a word before it turns it."""
    for start in range(len(words)):
        if words[start] in vocabulary.NEGATIONS:
            return None
        found = _longest_at(words, start, vocabulary.REQUESTS)
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
