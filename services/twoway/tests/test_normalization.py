"""What must hold for any text whatsoever."""

from hypothesis import given
from hypothesis import strategies as st
from twoway.intents import understand
from twoway.intents.normalization import CHARACTERS_MAX, normalize

TEXTS = st.text(max_size=60)
INVISIBLE = st.sampled_from(
    ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u202e", "\ufe0f", "\U000e0041"]
)
WORDS = st.sampled_from(["stop", "START", "Help", "please", "don't", "texting", "me", "all", "ok"])


@given(TEXTS)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalize(text)

    assert normalize(once) == once


@given(TEXTS, st.lists(st.tuples(st.integers(0, 60), INVISIBLE), max_size=8))
def test_invisible_characters_change_nothing(text: str, additions: list[tuple[int, str]]) -> None:
    disguised = text
    for position, character in additions:
        disguised = disguised[:position] + character + disguised[position:]

    assert normalize(disguised) == normalize(text)


@given(st.lists(WORDS, min_size=1, max_size=6), st.sampled_from([str.upper, str.lower, str.title]))
def test_case_changes_nothing(words: list[str], cased: object) -> None:
    text = " ".join(words)

    assert understand(cased(text)) == understand(text)  # type: ignore[operator]


@given(
    st.lists(WORDS, min_size=1, max_size=6),
    st.text('!?.,;:-–—"“”«»()[]*_#@ 🙂🛑👍\n\t', max_size=4),
)
def test_punctuation_and_emoji_between_words_change_nothing(words: list[str], mark: str) -> None:
    assert understand(mark + f"{mark} ".join(words) + mark) == understand(" ".join(words))


@given(st.text(min_size=0, max_size=400))
def test_every_text_is_understood_within_bounds(text: str) -> None:
    understand(text)

    assert len(normalize(text * 20)) <= CHARACTERS_MAX
