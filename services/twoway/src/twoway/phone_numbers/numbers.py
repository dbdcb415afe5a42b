"""What a number may be and become. Pure."""

import phonenumbers
from heliograph.twoway.v1 import origination_pb2, phone_number_pb2
from mesh.errors import FailedPrecondition, InvalidArgument
from mesh.errors.refusals import invalid

from twoway import unsupported
from twoway.consent import lists
from twoway.tables import PhoneNumberRow
from twoway.webhooks.rules import Webhooks

PhoneNumber = phone_number_pb2.PhoneNumber
Capability = origination_pb2.Capability
MessageType = origination_pb2.MessageType
RuleSet = origination_pb2.RuleSet

_SHORT_CODE_DIGITS_MAX = 8
_NOT_SUPPORTED = ("messages_per_second_max", "registration_id")


def check_number(number: str, field: str = "phone_number_id") -> None:
    """Refuse (PHONE_NUMBER_INVALID) what no carrier could route."""
    if not number.startswith("+"):
        return
    try:
        possible = phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        possible = False
    if not possible:
        description = f"{number} is not an E.164 number"
        raise _invalid(field, description, "PHONE_NUMBER_INVALID", number)


def country_of(number: str) -> str:
    """ISO 3166-1 alpha-2 of an E.164 number; empty for a short code or a number of no country."""
    if not number.startswith("+"):
        return ""
    parsed = phonenumbers.parse(number)
    region = phonenumbers.region_code_for_number(
        parsed
    ) or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return region if region and region.isalpha() and region != "ZZ" else ""


def type_of(number: str) -> str:
    """The type a number has when nobody says."""
    short = not number.startswith("+") and len(number) <= _SHORT_CODE_DIGITS_MAX
    return "SHORT_CODE" if short else "LONG_CODE"


def change(row: PhoneNumberRow, wanted: "PhoneNumber", webhooks: Webhooks) -> None:
    """Make the row what the message says; refuses settings that contradict each other."""
    unsupported.refuse(wanted, *_NOT_SUPPORTED)
    if wanted.self_managed_opt_outs_enabled and not wanted.two_way_enabled:
        raise _invalid(
            "phone_number.self_managed_opt_outs_enabled",
            "self-managed opt-outs need two_way_enabled, or nobody would hear a STOP",
            "SELF_MANAGED_NEEDS_TWO_WAY",
            row.phone_number,
        )
    row.display_name = wanted.display_name
    row.capabilities = [
        Capability.Name(one) for one in wanted.capabilities or (origination_pb2.SMS,)
    ]
    row.message_type = MessageType.Name(wanted.message_type or origination_pb2.TRANSACTIONAL)
    row.two_way_enabled = wanted.two_way_enabled
    row.self_managed_opt_outs_enabled = wanted.self_managed_opt_outs_enabled
    row.rule_set = RuleSet.Name(wanted.rule_set) if wanted.rule_set else ""
    webhooks.change(row.application, row, wanted.two_way_webhook)
    row.deletion_protection_enabled = wanted.deletion_protection_enabled
    row.opt_out_list = lists.id_of(
        row.application, wanted.opt_out_list, "phone_number.opt_out_list"
    )


def check_deletable(row: PhoneNumberRow) -> None:
    """Refuse (DELETION_PROTECTED) a number whose protection is on."""
    if row.deletion_protection_enabled:
        raise FailedPrecondition(
            "DELETION_PROTECTED",
            f"{row.phone_number} is protected against deletion",
            phone_number=row.phone_number,
        )


def _invalid(field: str, description: str, reason: str, number: str) -> InvalidArgument:
    return invalid(reason, field, description, phone_number=number)
