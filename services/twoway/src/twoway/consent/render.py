"""Row to message."""

from heliograph.twoway.v1 import opt_out_list_pb2 as pb
from mesh.aip import etags

from twoway import clock, names
from twoway.tables import ConsentChange, OptedOutNumber, OptOutListRow


def opt_out_list(row: OptOutListRow) -> pb.OptOutList:
    """A list as clients read it."""
    return pb.OptOutList(
        name=names.opt_out_list(row.application, row.opt_out_list),
        display_name=row.display_name,
        create_time=clock.stamp(row.create_time),
        update_time=clock.stamp(row.update_time),
        etag=etags.render(row.revision),
    )


def opted_out_number(row: OptedOutNumber) -> pb.OptedOutNumber:
    """A number on a list as clients read it."""
    parent = names.opt_out_list(row.application, row.opt_out_list)
    return pb.OptedOutNumber(
        name=f"{parent}/optedOutNumbers/{row.phone_number}",
        end_user_opted_out=wrote_it(row.source, row.confirmed),
        source=pb.ConsentSource.Value(row.source),
        text=row.text,
        origination_identity=row.origination_identity,
        inbound_message=names.inbound_message(row.application, row.inbound_message),
        caller=row.caller,
        comment=row.comment,
        opt_out_time=clock.stamp(row.opt_out_time),
    )


def wrote_it(source: str, confirmed: bool) -> bool:
    """Whether a person on a list opted out by writing: here, or, for who was confirmed before an
    import, to the platform that they came from."""
    return source == "KEYWORD" or (source == "IMPORT" and confirmed)


def consent_change(row: ConsentChange) -> pb.ConsentChange:
    """An entry of the record as clients and listeners read it."""
    return pb.ConsentChange(
        name=names.consent_change(row.application, row.consent_change),
        opt_out_list=names.opt_out_list(row.application, row.opt_out_list),
        destination_address=row.phone_number,
        kind=pb.ConsentChange.Kind.Value(row.kind),
        source=pb.ConsentSource.Value(row.source),
        text=row.text,
        origination_identity=row.origination_identity,
        inbound_message=names.inbound_message(row.application, row.inbound_message),
        caller=row.caller,
        comment=row.comment,
        change_time=clock.stamp(row.change_time),
        requested_text=row.requested_text,
        question_text=row.question_text,
    )
