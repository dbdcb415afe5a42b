"""Row to message."""

from heliograph.messaging.v1 import message_pb2, reason_pb2
from heliograph.twoway.v1 import conversation_pb2
from heliograph.twoway.v1 import inbound_message_pb2 as pb
from mesh.aip import etags

from twoway import clock, names
from twoway.conversations.tables import ConversationRow, HandReplyRow, MessageAnswerRow
from twoway.conversations.threads import conversation_id
from twoway.tables import InboundMessage


def inbound_message(
    row: InboundMessage, answer: MessageAnswerRow | None = None
) -> pb.InboundMessage:
    """A text that came in, as clients and listeners read it, with what it answers."""
    application = row.application
    keyword = ""
    if row.keyword_id:
        keyword = names.keyword(application, row.destination_address, row.keyword_id)
    thread = conversation_id(application, row.destination_address, row.source_address)
    rendered = pb.InboundMessage(
        name=names.inbound_message(application, row.inbound_message),
        source_address=row.source_address,
        destination_address=row.destination_address,
        text=row.text,
        parts=row.parts,
        receive_time=clock.stamp(row.receive_time),
        intent=pb.Intent.Value(row.intent),
        flagged=row.flagged,
        keyword=keyword,
        opt_out_list=names.opt_out_list(application, row.opt_out_list),
        consent_changed=row.consent_changed,
        reply=row.reply,
        conversation=names.conversation(application, thread),
        connection=row.connection,
        remarks=map(pb.InboundMessage.Remark.Value, row.remarks.split()),
    )
    if answer is not None and answer.message:
        _answered(rendered, answer)
    return rendered


def conversation(row: ConversationRow) -> conversation_pb2.Conversation:
    """A conversation as clients read it."""
    return conversation_pb2.Conversation(
        name=names.conversation(row.application, row.conversation),
        phone_number=names.phone_number(row.application, row.phone_number),
        source_address=row.source_address,
        state=conversation_pb2.Conversation.State.Value(row.state),
        assignee=row.assignee,
        labels=row.labels,
        create_time=clock.stamp(row.create_time),
        last_message_time=clock.stamp(row.last_message_time),
        etag=etags.render(row.revision),
    )


def outbound(
    message: message_pb2.Message, text: str = "", author: str = ""
) -> conversation_pb2.ConversationMessage:
    """A message of messaging's ledger as a line; what it said is known of answers."""
    failed = message.reason != reason_pb2.REASON_UNSPECIFIED
    sent = message.send_time if message.HasField("send_time") else message.create_time
    return conversation_pb2.ConversationMessage(
        outbound_message=conversation_pb2.ConversationMessage.OutboundMessage(
            message=message.name,
            text=text,
            state=message_pb2.Message.State.Name(message.state),
            send_time=sent,
            author=author,
            reason=reason_pb2.Reason.Name(message.reason) if failed else "",
            run=message.run,
        )
    )


def hand_reply(row: HandReplyRow) -> conversation_pb2.ConversationMessage:
    """An answer by hand that messaging has just accepted."""
    return conversation_pb2.ConversationMessage(
        outbound_message=conversation_pb2.ConversationMessage.OutboundMessage(
            message=f"applications/{row.application}/messages/{row.message}",
            text=row.text,
            state=message_pb2.Message.State.Name(message_pb2.Message.ACCEPTED),
            send_time=clock.stamp(row.create_time),
            author=row.author,
        )
    )


def _answered(rendered: pb.InboundMessage, answer: MessageAnswerRow) -> None:
    parent = f"applications/{answer.application}"
    rendered.in_reply_to = f"{parent}/messages/{answer.message}"
    if answer.run:
        rendered.run = f"{parent}/{answer.run}"
        rendered.campaign = rendered.run.partition("/runs/")[0]
    if answer.endpoint:
        rendered.endpoint = f"{parent}/endpoints/{answer.endpoint}"
