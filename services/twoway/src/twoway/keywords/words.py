"""What a keyword may be. Pure."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

from heliograph.twoway.v1 import keyword_pb2
from mesh.errors import FailedPrecondition, InvalidArgument, ResourceExhausted, Violation
from mesh.errors.refusals import invalid

from twoway import clock
from twoway.intents import Action, understand
from twoway.intents.understanding import HELP, START, STOP, Intent, words_of
from twoway.keywords import double_opt_in
from twoway.keywords.defaults import DEFAULTS
from twoway.keywords.tables import KeywordRow

KEYWORDS_MAX = 30
"""Custom keywords of a number (Pinpoint's quota)."""

_ID_CHARACTERS_MAX = 63


def id_of(keyword: str) -> str:
    """The id of a keyword when nobody says: its words, or a digest where they are not ASCII."""
    slug = "-".join(re.findall("[a-z0-9]+", " ".join(words_of(keyword))))
    return slug[:_ID_CHARACTERS_MAX] or "k" + hashlib.sha256(keyword.encode()).hexdigest()[:16]


def check_id(keyword_id: str) -> None:
    """Refuse (KEYWORD_RESERVED) the ids of the default keywords."""
    if keyword_id in DEFAULTS:
        raise _invalid(keyword_id, "the id belongs to a default keyword", "KEYWORD_RESERVED")


def read_as(keyword: str, action: str) -> str:
    """A keyword's words in normalised form.

    Refuses one of which nothing is left (KEYWORD_EMPTY), and one that would give another meaning to
    STOP, HELP or START (KEYWORD_RESERVED).
    """
    words = words_of(keyword)
    if not words:
        raise _invalid(keyword, "nothing is left without punctuation", "KEYWORD_EMPTY")
    meaning = understand(keyword)
    if meaning.intent is Intent.OPT_OUT and action != Action.OPT_OUT:
        raise _invalid(keyword, "it means to opt out and nothing else", "KEYWORD_RESERVED")
    if words in ([STOP], [HELP], [START]):
        raise _invalid(
            keyword, f"change the texts of the keyword {words[0]} instead", "KEYWORD_RESERVED"
        )
    return " ".join(words)


def change(row: KeywordRow, wanted: keyword_pb2.Keyword) -> None:
    """Make the row what the message says; a default keyword keeps what it does."""
    action = action_of(wanted)
    if row.keyword_id in DEFAULTS and action != row.action:
        raise FailedPrecondition(
            "DEFAULT_KEYWORD",
            f"{row.keyword} is a default keyword: only its texts can be changed",
            keyword=row.keyword,
        )
    if row.keyword_id not in DEFAULTS:
        row.words = read_as(row.keyword, action)
    row.start_time, row.end_time = times_of(row, wanted)
    row.action = action
    row.reply_text = wanted.reply_text
    row.localized_reply_texts = dict(wanted.localized_reply_texts)
    row.template = wanted.template
    row.default_substitutions = dict(wanted.default_substitutions)
    double_opt_in.change(row, wanted)


def times_of(
    row: KeywordRow, wanted: keyword_pb2.Keyword
) -> tuple[datetime | None, datetime | None]:
    """From when until when a keyword matches.

    Refuses (DEFAULT_KEYWORD) to limit what every number must answer at all times, and
    (KEYWORD_TIMES_INVALID) an end that is not after the start.
    """
    start, end = (_moment(wanted, field) for field in ("start_time", "end_time"))
    if row.keyword_id in DEFAULTS and (start or end):
        raise FailedPrecondition(
            "DEFAULT_KEYWORD",
            f"{row.keyword} is a default keyword: it matches at all times",
            keyword=row.keyword,
        )
    if start and end and end <= start:
        description = "it is not after start_time"
        raise _time_invalid("KEYWORD_TIMES_INVALID", "end_time", description, row.keyword)
    return start, end


def drop_stale_translations(
    row: KeywordRow, wanted: keyword_pb2.Keyword, paths: Sequence[str]
) -> None:
    """Take our translations out when the owner words a default keyword for the first time: they
    would say something else than the owner does."""
    if row.revision == 0 and "reply_text" in paths and "localized_reply_texts" not in paths:
        wanted.localized_reply_texts.clear()


def action_of(wanted: keyword_pb2.Keyword) -> str:
    """What a keyword is to do; answering, when nothing is said."""
    action = wanted.action or keyword_pb2.Keyword.AUTOMATIC_RESPONSE
    if action == keyword_pb2.Keyword.HELP and wanted.name.rpartition("/")[2] != HELP:
        raise _invalid(wanted.keyword, "only HELP itself does this", "KEYWORD_RESERVED")
    return keyword_pb2.Keyword.Action.Name(action)


def check_deletable(keyword_id: str) -> None:
    """Refuse (DEFAULT_KEYWORD) to delete what every number must answer."""
    if keyword_id in DEFAULTS:
        raise FailedPrecondition(
            "DEFAULT_KEYWORD",
            f"{keyword_id} is a default keyword and cannot be deleted",
            keyword=keyword_id,
        )


def check_room(count: int, parent: str) -> None:
    """Refuse (TOO_MANY_KEYWORDS) a keyword above the quota."""
    if count >= KEYWORDS_MAX:
        raise ResourceExhausted(
            "TOO_MANY_KEYWORDS", f"{parent} has {KEYWORDS_MAX} keywords already", parent=parent
        )


def _moment(wanted: keyword_pb2.Keyword, field: str) -> datetime | None:
    if not wanted.HasField(field):  # type: ignore[arg-type]  # names of fields
        return None
    try:
        return clock.moment(getattr(wanted, field))
    except (ValueError, OverflowError):
        description = "it is no time between the years 1 and 9999"
        raise _time_invalid("TIME_INVALID", field, description, wanted.keyword) from None


def _time_invalid(reason: str, field: str, description: str, keyword: str) -> InvalidArgument:
    field = f"keyword.{field}"
    return invalid(reason, field, description, keyword=keyword)


def _invalid(keyword: str, description: str, reason: str) -> InvalidArgument:
    return InvalidArgument(
        reason,
        f"{keyword!r} cannot be a keyword: {description}",
        violations=[Violation("keyword.keyword", description, reason)],
        keyword=keyword,
    )
