"""From a text to what it means. Pure: no I/O, no clock, no state."""

from twoway.intents import rule_sets
from twoway.intents.rule_sets import RuleSet
from twoway.intents.understanding import Action, Keyword, Meaning, understand

__all__ = ["Action", "Keyword", "Meaning", "RuleSet", "rule_sets", "understand"]
