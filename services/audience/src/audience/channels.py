"""Channel types by their names, ours and Pinpoint's, and what kind of address each one takes."""

from typing import Final

from heliograph.audience.v1 import channel_type_pb2 as pb

PHONES: Final = frozenset({pb.SMS, pb.VOICE})
MAILBOXES: Final = frozenset({pb.EMAIL})

NAMES: Final[dict[int, str]] = {
    number: name for name, number in pb.ChannelType.items() if number != 0
}
"""Names of all channel types, by number."""

BY_NAME: Final[dict[str, int]] = {
    **{name: number for number, name in NAMES.items()},
    "GCM": pb.PUSH_FCM,
    "APNS": pb.PUSH_APNS,
    "APNS_SANDBOX": pb.PUSH_APNS_SANDBOX,
    "APNS_VOIP": pb.PUSH_APNS_VOIP,
    "APNS_VOIP_SANDBOX": pb.PUSH_APNS_VOIP_SANDBOX,
    "ADM": pb.PUSH_ADM,
    "BAIDU": pb.PUSH_BAIDU,
}
"""Channel types by our names and by those in Pinpoint's files."""
