"""What a set says, in messaging's words. Pure."""

from heliograph.messaging.v1 import content_pb2

from twoway.tables import ReplySetRow


def content_of(row: ReplySetRow) -> content_pb2.MessageContent:
    """The text in its languages, or the stored template that makes it."""
    content = content_pb2.MessageContent(default_substitutions=row.default_substitutions)
    if row.template:
        content.templates.append(row.template)
        content.origination_identity = row.origination_identity
        return content
    content.sms.body = row.reply_text
    content.sms.origination_identity = row.origination_identity
    content.sms.localized_bodies.update(row.localized_reply_texts)
    return content


def is_personal(row: ReplySetRow) -> bool:
    """Whether messaging has to know whose addresses they are."""
    return bool(row.template or row.localized_reply_texts or "{{" in row.reply_text)
