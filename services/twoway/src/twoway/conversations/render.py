"""Row to message."""

from heliograph.twoway.v1 import inbound_message_pb2 as pb

from twoway import clock, names
from twoway.tables import InboundMessage


def inbound_message(row: InboundMessage) -> pb.InboundMessage:
    """A text that came in, as clients and listeners read it."""
    keyword = ""
    if row.keyword_id:
        keyword = names.keyword(row.application, row.destination_address, row.keyword_id)
    return pb.InboundMessage(
        name=names.inbound_message(row.application, row.inbound_message),
        source_address=row.source_address,
        destination_address=row.destination_address,
        text=row.text,
        parts=row.parts,
        receive_time=clock.stamp(row.receive_time),
        intent=pb.Intent.Value(row.intent),
        flagged=row.flagged,
        keyword=keyword,
        opt_out_list=names.opt_out_list(row.application, row.opt_out_list),
        consent_changed=row.consent_changed,
        reply=row.reply,
        connection=row.connection,
    )
