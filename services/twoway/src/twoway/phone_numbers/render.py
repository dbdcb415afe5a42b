"""Row to message."""

from heliograph.twoway.v1 import origination_pb2, phone_number_pb2
from mesh.aip import etags

from twoway import clock, names
from twoway.tables import PhoneNumberRow
from twoway.webhooks import rules


def phone_number(row: PhoneNumberRow) -> phone_number_pb2.PhoneNumber:
    """A number as clients read it."""
    kind = phone_number_pb2.PhoneNumber
    return kind(
        name=names.phone_number(row.application, row.phone_number),
        display_name=row.display_name,
        state=kind.ACTIVE,
        type=kind.Type.Value(row.type),
        country_code=row.country_code,
        capabilities=[origination_pb2.Capability.Value(one) for one in row.capabilities],
        message_type=origination_pb2.MessageType.Value(row.message_type),
        two_way_enabled=row.two_way_enabled,
        two_way_webhook=rules.render(row),
        self_managed_opt_outs_enabled=row.self_managed_opt_outs_enabled,
        opt_out_list=names.opt_out_list(row.application, row.opt_out_list),
        pool=names.pool(row.application, row.pool),
        deletion_protection_enabled=row.deletion_protection_enabled,
        rule_set=origination_pb2.RuleSet.Value(row.rule_set or "RULE_SET_UNSPECIFIED"),
        create_time=clock.stamp(row.create_time),
        update_time=clock.stamp(row.update_time),
        etag=etags.render(row.revision),
    )
