"""What a keyword that asks before it opts in may say. Pure."""

from collections.abc import Iterable

from heliograph.twoway.v1 import keyword_pb2
from mesh.errors import FailedPrecondition, InvalidArgument
from mesh.errors.refusals import invalid

from twoway.intents import Action, understand
from twoway.intents.understanding import Intent, words_of
from twoway.keywords.defaults import DEFAULTS
from twoway.keywords.tables import WINDOW_SECONDS_DEFAULT, KeywordRow

REASON = "DOUBLE_OPT_IN_INVALID"

_FIELDS = (
    "double_opt_in_words",
    "double_opt_in_window",
    "confirmed_reply_text",
    "localized_confirmed_reply_texts",
)


def change(row: KeywordRow, wanted: keyword_pb2.Keyword) -> None:
    """Make the row ask as the message says; the row has its action and texts.

    Refuses (DEFAULT_KEYWORD) that START asks, which opts in by rule, and (DOUBLE_OPT_IN_INVALID) a
    keyword that cannot ask, or takes a yes for something else.
    """
    if wanted.double_opt_in:
        _check_asks(row)
    elif any(field.name in _FIELDS for field, _ in wanted.ListFields()):
        raise _invalid(row.keyword, "double_opt_in", "its words and texts need it set")
    _check_words(row.keyword, wanted.double_opt_in_words)
    row.double_opt_in = wanted.double_opt_in
    row.double_opt_in_words = list(wanted.double_opt_in_words)
    row.double_opt_in_window_seconds = (
        wanted.double_opt_in_window.ToSeconds()
        if wanted.HasField("double_opt_in_window")
        else WINDOW_SECONDS_DEFAULT
    )
    row.confirmed_reply_text = wanted.confirmed_reply_text
    row.localized_confirmed_reply_texts = dict(wanted.localized_confirmed_reply_texts)


def _check_asks(row: KeywordRow) -> None:
    if row.keyword_id in DEFAULTS:
        raise FailedPrecondition(
            "DEFAULT_KEYWORD",
            f"{row.keyword} is a default keyword: it does not ask back",
            keyword=row.keyword,
        )
    if row.action != Action.OPT_IN:
        raise _invalid(row.keyword, "action", "only OPT_IN asks for a confirmation")
    if not (row.reply_text or row.template):
        raise _invalid(row.keyword, "reply_text", "a double opt-in needs a text that asks")


def _check_words(keyword: str, words: Iterable[str]) -> None:
    for word in words:
        intent = understand(word).intent
        if not words_of(word) or intent in (Intent.OPT_OUT, Intent.HELP):
            description = f"{word!r} cannot confirm: it says nothing, or STOP or HELP"
            raise _invalid(keyword, "double_opt_in_words", description)


def _invalid(keyword: str, field: str, description: str) -> InvalidArgument:
    field = f"keyword.{field}"
    return invalid(REASON, field, description, keyword=keyword)
