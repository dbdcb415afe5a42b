"""What texts mean by each rule set, from a table that names its sources."""

import json
from pathlib import Path

import pytest
from twoway.intents import rule_sets, understand
from twoway.intents.understanding import Intent, Meaning

NAMES = ("", *rule_sets.RULE_SETS)
LINES = (Path(__file__).parent / "intent_cases.tsv").read_text().splitlines()
CASES = [line.split("\t") for line in LINES if "\t" in line][1:]
WORDS = {
    Intent.OPT_OUT: "out",
    Intent.OPT_IN: "in",
    Intent.HELP: "help",
    Intent.AMBIGUOUS: "ask",
    Intent.CHATTER: "-",
}


def in_a_word(meaning: Meaning) -> str:
    asks = meaning.only_opted_out or (meaning.flagged and meaning.intent is Intent.OPT_OUT)
    return WORDS[meaning.intent] + ("?" if asks else "")


@pytest.mark.parametrize("position", range(len(NAMES)), ids=[name or "none" for name in NAMES])
def test_texts_mean_what_the_table_says(position: int) -> None:
    rules = rule_sets.of(NAMES[position])
    stated = {case[0]: case[1 + position] for case in CASES}
    texts = {written: json.loads(f'"{written}"') for written in stated}

    understood = {
        written: in_a_word(understand(text, (), rules)) for written, text in texts.items()
    }

    assert understood == stated


def test_the_table_has_hundreds_of_cases() -> None:
    assert len(CASES) * len(NAMES) >= 300
    assert all(len(case) == 1 + len(NAMES) for case in CASES)
