"""The keywords of a number as texts are compared with them, and what they answer. Pure."""

from collections.abc import Iterable
from datetime import datetime

from twoway.intents import Action, Keyword, Meaning
from twoway.keywords import answers
from twoway.keywords.defaults import DEFAULTS
from twoway.keywords.tables import KeywordRow


def custom(rows: Iterable[KeywordRow]) -> list[Keyword]:
    """The custom keywords; the default ones are understood without being told."""
    return [
        Keyword(
            row.keyword_id,
            tuple(row.words.split()),
            Action(row.action),
            row.start_time,
            row.end_time,
        )
        for row in rows
        if row.keyword_id not in DEFAULTS
    ]


def in_force(keywords: Iterable[Keyword], time: datetime) -> list[Keyword]:
    """Those that match at that time: from their start on, and no more from their end on."""
    return [
        keyword
        for keyword in keywords
        if not (keyword.start_time and time < keyword.start_time)
        and not (keyword.end_time and keyword.end_time <= time)
    ]


def reply_text(rows: Iterable[KeywordRow], meaning: Meaning) -> str:
    """What a text of this meaning is answered with; empty when with nothing, or a template."""
    return answers.wording(rows, meaning).text
