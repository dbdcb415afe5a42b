"""Row to message."""

from heliograph.twoway.v1 import origination_pb2, pool_pb2
from mesh.aip import etags

from twoway import clock, names
from twoway.tables import PoolRow
from twoway.webhooks import rules


def pool(row: PoolRow, member_count: int) -> pool_pb2.Pool:
    """A pool as clients read it."""
    return pool_pb2.Pool(
        name=names.pool(row.application, row.pool),
        display_name=row.display_name,
        state=pool_pb2.Pool.ACTIVE,
        message_type=origination_pb2.MessageType.Value(row.message_type),
        capabilities=[origination_pb2.Capability.Value(one) for one in row.capabilities],
        two_way_enabled=row.two_way_enabled,
        two_way_webhook=rules.render(row),
        self_managed_opt_outs_enabled=row.self_managed_opt_outs_enabled,
        opt_out_list=names.opt_out_list(row.application, row.opt_out_list),
        deletion_protection_enabled=row.deletion_protection_enabled,
        rule_set=origination_pb2.RuleSet.Value(row.rule_set or "RULE_SET_UNSPECIFIED"),
        member_count=member_count,
        create_time=clock.stamp(row.create_time),
        update_time=clock.stamp(row.update_time),
        etag=etags.render(row.revision),
    )
