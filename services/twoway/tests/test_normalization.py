"""What must hold for any text whatsoever."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twoway.intents import rule_sets, understand
from twoway.intents.normalization import CHARACTERS_MAX, normalize
from twoway.intents.understanding import Intent

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


RULE_SETS = st.sampled_from(["", *rule_sets.RULE_SETS])
SAID_WORDS = (
    "stop quit optout arret remove help info start yes restart please texting me all tomorrow the"
)
SAID = st.lists(st.sampled_from(SAID_WORDS.split()), min_size=1, max_size=4)
LOOK_ALIKES = {
    "a": "\u0430",
    "e": "\u0435",
    "o": "\u043e",
    "p": "\u0440",
    "t": "\u0442",
    "s": "\u0455",
}
DISGUISES = st.sampled_from(
    [
        str.upper,
        str.title,
        lambda text: f"\u201c{text}\u201d",
        lambda text: f"\u00ab {text} \u00bb",
        lambda text: f"\U0001f6d1{text}\U0001f620!!",
        lambda text: text.replace(" ", " ... "),
        lambda text: "\u200b".join(text),
        lambda text: "".join(LOOK_ALIKES.get(letter, letter) for letter in text),
        lambda text: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in text),
        lambda text: text.replace("e", "\u00e9").replace("a", "a\u0300"),
    ]
)  # fmt: skip


@given(SAID, st.lists(DISGUISES, min_size=1, max_size=3), RULE_SETS)
def test_a_disguise_means_the_same_by_every_rule_set(
    words: list[str], disguises: list[Callable[[str], str]], rule_set: str
) -> None:
    rules = rule_sets.of(rule_set)
    text = disguised = " ".join(words)
    for disguise in disguises:
        disguised = disguise(disguised)

    assert understand(disguised, (), rules) == understand(text, (), rules)


@given(SAID, RULE_SETS)
def test_no_rule_set_takes_for_chatter_what_another_takes_for_an_opt_out(
    words: list[str], rule_set: str
) -> None:
    text = " ".join(words)
    meaning = understand(text, (), rule_sets.of(rule_set))

    if understand(text).intent is Intent.OPT_OUT:
        assert meaning.intent in (Intent.OPT_OUT, Intent.AMBIGUOUS, Intent.HELP)
