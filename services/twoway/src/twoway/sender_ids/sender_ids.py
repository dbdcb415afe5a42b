"""What a sender id may be, and where carriers carry it. Pure."""

from typing import Final

import phonenumbers
from heliograph.twoway.v1 import origination_pb2, sender_id_pb2
from mesh.errors import FailedPrecondition, InvalidArgument
from mesh.errors.refusals import invalid

from twoway import names
from twoway.consent import lists
from twoway.tables import SenderIdRow

MessageType = origination_pb2.MessageType

_NOT_CARRIED: Final = """
AR BS BE BR CA KY CL CN CO CR DO EC SV GU GT HU LR MY MH MX FM MC MZ NZ NI PA PY PE PR CG KN LC ZA
KR TM US UY VE VI
"""
NOT_CARRIED: Final = frozenset(_NOT_CARRIED.split())
"""Countries without sender ids: Amazon Pinpoint User Guide, "Supported countries and regions (SMS
channel)", column "Supports Sender IDs"."""


def parts_of(sender_id_id: str) -> tuple[str, str]:
    """Country and name of an id such as `DE-ACME`.

    Refuses (SENDER_ID_INVALID) a name of digits alone, which would look like a number, and
    (SENDER_ID_NOT_CARRIED) a country where no carrier shows it.
    """
    country, _, name = sender_id_id.partition("-")
    if name.isdigit():
        raise _invalid(sender_id_id, "the name needs a letter", "SENDER_ID_INVALID")
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise _invalid(sender_id_id, f"{country} is not a country", "SENDER_ID_INVALID")
    if country in NOT_CARRIED:
        description = f"carriers of {country} carry no sender ids; use a number"
        raise _invalid(sender_id_id, description, "SENDER_ID_NOT_CARRIED")
    return country, name


def change(row: SenderIdRow, wanted: sender_id_pb2.SenderId) -> None:
    """Make the row what the message says."""
    types = [one for one in wanted.message_types if one] or [origination_pb2.TRANSACTIONAL]
    row.message_types = [MessageType.Name(one) for one in types]
    row.opt_out_list = lists.id_of(row.application, wanted.opt_out_list, "sender_id.opt_out_list")
    row.deletion_protection_enabled = wanted.deletion_protection_enabled


def check_deletable(row: SenderIdRow) -> None:
    """Refuse (DELETION_PROTECTED) a sender id whose protection is on."""
    if row.deletion_protection_enabled:
        name = names.sender_id(row.application, row.sender_id)
        raise FailedPrecondition(
            "DELETION_PROTECTED", f"{name} is protected against deletion", sender_id=name
        )


def _invalid(sender_id_id: str, description: str, reason: str) -> InvalidArgument:
    return invalid(reason, "sender_id_id", description, sender_id=sender_id_id)
