"""What a pool begins with and may become. Pure."""

from heliograph.twoway.v1 import origination_pb2, pool_pb2
from mesh.errors import FailedPrecondition
from mesh.errors.refusals import invalid

from twoway import names, unsupported
from twoway.consent import lists
from twoway.pools.consistency import SENDER_ID_CAPABILITIES
from twoway.tables import PhoneNumberRow, PoolRow, SenderIdRow
from twoway.webhooks.rules import Webhooks

RuleSet = origination_pb2.RuleSet

_NOT_SUPPORTED = ("shared_routes_enabled",)


def take_number(row: PoolRow, number: PhoneNumberRow) -> None:
    """Begin with the settings of a number."""
    row.capabilities = number.capabilities
    row.message_type = number.message_type
    row.two_way_enabled = number.two_way_enabled
    row.self_managed_opt_outs_enabled = number.self_managed_opt_outs_enabled
    row.opt_out_list = number.opt_out_list
    row.rule_set = number.rule_set
    row.webhook_uri, row.webhook_secrets = number.webhook_uri, dict(number.webhook_secrets)


def take_sender_id(row: PoolRow, sender_id: SenderIdRow) -> None:
    """Begin with the settings of a sender id; of several message types with the first."""
    row.capabilities = list(SENDER_ID_CAPABILITIES)
    row.message_type = sender_id.message_types[0]
    row.opt_out_list = sender_id.opt_out_list


def change(row: PoolRow, wanted: pool_pb2.Pool, webhooks: Webhooks) -> None:
    """Make the row what the message says; refuses settings that contradict each other."""
    unsupported.refuse(wanted, *_NOT_SUPPORTED)
    if wanted.self_managed_opt_outs_enabled and not wanted.two_way_enabled:
        field = "pool.self_managed_opt_outs_enabled"
        description = "self-managed opt-outs need two_way_enabled, or nobody would hear a STOP"
        raise invalid(
            "SELF_MANAGED_NEEDS_TWO_WAY",
            field,
            description,
            pool=names.pool(row.application, row.pool),
        )
    row.display_name = wanted.display_name
    row.two_way_enabled = wanted.two_way_enabled
    row.self_managed_opt_outs_enabled = wanted.self_managed_opt_outs_enabled
    row.rule_set = RuleSet.Name(wanted.rule_set) if wanted.rule_set else ""
    webhooks.change(row.application, row, wanted.two_way_webhook)
    row.deletion_protection_enabled = wanted.deletion_protection_enabled
    row.opt_out_list = lists.id_of(row.application, wanted.opt_out_list, "pool.opt_out_list")


def check_deletable(row: PoolRow) -> None:
    """Refuse (DELETION_PROTECTED) a pool whose protection is on."""
    if row.deletion_protection_enabled:
        name = names.pool(row.application, row.pool)
        raise FailedPrecondition(
            "DELETION_PROTECTED", f"{name} is protected against deletion", pool=name
        )
