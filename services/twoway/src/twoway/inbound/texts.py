"""What the carrier gateway announced, made fit to be kept."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from heliograph.messaging.v1 import events_pb2

from twoway import addresses, clock
from twoway.inbound import remarks
from twoway.tables import InboundMessage

TEXT_CHARACTERS_MAX = 10_000
CLOCK_SKEW_MAX = timedelta(minutes=5)

_ID = re.compile(r"[A-Za-z0-9._~:-]{1,100}")


@dataclass(frozen=True, slots=True)
class Text:
    """One text from one person to one number, both in canonical form."""

    inbound_id: str
    source: str
    destination: str
    text: str
    parts: int
    connection: str
    receive_time: datetime
    remarks: tuple[str, ...] = ()


def of(sms: events_pb2.InboundSms, announce_time: datetime) -> Text:
    """The text of an inbound SMS. Whatever the carrier sent becomes something that can be kept."""
    return Text(
        inbound_id=_id_of(sms),
        source=addresses.canonical(_storable(sms.source_address)),
        destination=addresses.canonical(_storable(sms.destination_address)),
        text=_storable(sms.text)[:TEXT_CHARACTERS_MAX],
        parts=max(sms.parts, 1),
        connection=_storable(sms.connection),
        receive_time=_receive_time(sms, announce_time),
        remarks=tuple(_remarks(sms)),
    )


def of_row(row: InboundMessage) -> Text:
    """The text that was recorded so."""
    return Text(
        inbound_id=row.inbound_message,
        source=row.source_address,
        destination=row.destination_address,
        text=row.text,
        parts=row.parts,
        connection=row.connection,
        receive_time=row.receive_time,
    )


def _remarks(sms: events_pb2.InboundSms) -> Iterator[str]:
    yield from remarks.of_words(sms.text, TEXT_CHARACTERS_MAX)
    if sms.incomplete:
        yield remarks.INCOMPLETE
    if sms.mms:
        yield remarks.MMS


def _receive_time(sms: events_pb2.InboundSms, announce_time: datetime) -> datetime:
    """When it was received. A time from a wrong clock would make every later text come too late."""
    try:
        received = clock.moment(sms.receive_time)
    except (ValueError, OverflowError):
        return announce_time
    plausible = sms.HasField("receive_time") and received <= announce_time + CLOCK_SKEW_MAX
    return received if plausible else announce_time


def _id_of(sms: events_pb2.InboundSms) -> str:
    """The gateway's id, or one derived from the content where it cannot stand in a name."""
    if _ID.fullmatch(sms.inbound_id):
        return sms.inbound_id
    return hashlib.sha256(sms.SerializeToString(deterministic=True)).hexdigest()[:32]


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL."""
    return text.replace("\x00", "\ufffd")
