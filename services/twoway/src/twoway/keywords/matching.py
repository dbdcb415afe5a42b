"""The keywords of a number as texts are compared with them, and what they answer. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from twoway.intents import Action, Keyword, Meaning
from twoway.intents.understanding import START
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


def reply_text(rows: Iterable[KeywordRow], meaning: Meaning, *, confirmed: bool = False) -> str:
    """What a text of this meaning is answered with; empty when with nothing.

    With `confirmed` it is the yes of a double opt-in.
    """
    rows = list(rows)
    row = next((row for row in rows if row.keyword_id == meaning.keyword_id), None)
    if confirmed:
        texts = (row.confirmed_reply_text, row.localized_confirmed_reply_texts) if row else ("", {})
        welcome = replace(meaning, keyword_id=START)
        return texts[1].get(meaning.language) or texts[0] or reply_text(rows, welcome)
    said = row or DEFAULTS.get(meaning.keyword_id)
    if said is None:
        return ""
    return said.localized_reply_texts.get(meaning.language) or said.reply_text
