"""Row to message."""

from heliograph.twoway.v1 import keyword_pb2
from mesh.aip import etags

from twoway import clock, names
from twoway.keywords.defaults import DEFAULTS
from twoway.keywords.tables import KeywordRow


def keyword(row: KeywordRow, number: str = "") -> keyword_pb2.Keyword:
    """A keyword as clients read it; of a number in the pool that keeps it, if one is given."""
    rendered = keyword_pb2.Keyword(
        name=names.keyword(row.application, number or row.phone_number, row.keyword_id),
        keyword=row.keyword,
        action=keyword_pb2.Keyword.Action.Value(row.action),
        reply_text=row.reply_text,
        localized_reply_texts=row.localized_reply_texts,
        template=row.template,
        default_substitutions=row.default_substitutions,
        double_opt_in=row.double_opt_in,
        double_opt_in_words=row.double_opt_in_words,
        confirmed_reply_text=row.confirmed_reply_text,
        localized_confirmed_reply_texts=row.localized_confirmed_reply_texts,
        default_keyword=row.keyword_id in DEFAULTS,
        etag=etags.render(row.revision),
    )
    if row.double_opt_in:
        rendered.double_opt_in_window.FromSeconds(row.double_opt_in_window_seconds)
    if row.start_time:
        rendered.start_time.CopyFrom(clock.stamp(row.start_time))
    if row.end_time:
        rendered.end_time.CopyFrom(clock.stamp(row.end_time))
    if row.revision:
        rendered.create_time.CopyFrom(clock.stamp(row.create_time))
        rendered.update_time.CopyFrom(clock.stamp(row.update_time))
    return rendered
