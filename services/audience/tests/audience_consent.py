"""Announcements of opt-outs, as twoway makes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from heliograph.twoway.v1 import events_pb2
from heliograph.twoway.v1.opt_out_list_pb2 import ConsentChange
from mesh.eventing.delivery import Delivery

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NUMBER = "+12065550100"


def change(
    address: str, kind: Any, at_seconds: float, opt_out_list: str = "default", app: str = "shop"
) -> ConsentChange:
    """A change of consent, so many seconds after noon."""
    changed = ConsentChange(
        name=f"applications/{app}/consentChanges/c",
        opt_out_list=f"applications/{app}/optOutLists/{opt_out_list}",
        destination_address=address,
        kind=kind,
        origination_identity=NUMBER,
    )
    changed.change_time.FromDatetime(NOON + timedelta(seconds=at_seconds))
    return changed


def out(
    address: str, at_seconds: float, opt_out_list: str = "default", app: str = "shop"
) -> events_pb2.NumberOptedOut:
    """Somebody said STOP."""
    changed = change(address, ConsentChange.OPTED_OUT, at_seconds, opt_out_list, app)
    return events_pb2.NumberOptedOut(application=app, changes=[changed])


def back(
    address: str, at_seconds: float, opt_out_list: str = "default", app: str = "shop"
) -> events_pb2.NumberOptedIn:
    """Somebody said START."""
    changed = change(address, ConsentChange.OPTED_IN, at_seconds, opt_out_list, app)
    return events_pb2.NumberOptedIn(application=app, changes=[changed])


def ended(opt_out_list: str, at_seconds: float, app: str = "shop") -> events_pb2.OptOutListDeleted:
    """A list was deleted."""
    event = events_pb2.OptOutListDeleted(
        application=app, opt_out_list=f"applications/{app}/optOutLists/{opt_out_list}"
    )
    event.delete_time.FromDatetime(NOON + timedelta(seconds=at_seconds))
    return event


def delivery(event: Message) -> Delivery:
    """An announcement as its handler gets it."""
    return Delivery(
        data=event.SerializeToString(),
        subject=f"{event.DESCRIPTOR.full_name}.{event.application}",  # type: ignore[attr-defined]
        headers={},
        num_delivered=1,
        stream="TWOWAY",
        sequence=1,
        receive_time=NOON,
    )
