"""What applications hear about texts that nobody took over."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliograph.twoway.v1 import events_pb2
from mesh.eventing import outbox
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway.parcels import parcels
from twoway.webhooks import signing

if TYPE_CHECKING:
    from twoway.webhooks.messages import Waiting
    from twoway.webhooks.store import Failure


def undelivered(
    session: AsyncSession, key: tuple[str, str], over: "Sequence[tuple[Waiting, Failure]]"
) -> None:
    """Announce texts whose time is up, each with why it was not taken over the last time."""
    application, uri = key
    for parcel in parcels(_undelivered(one, failure) for one, failure in over):
        event = events_pb2.InboundMessagesUndelivered(
            application=application, uri=uri, undelivered=parcel
        )
        event_id = f"{signing.post_id(application, parcel[0].inbound_message)}-undelivered"
        outbox.publish(session, event, application, event_id=event_id)


def _undelivered(
    one: "Waiting", failure: "Failure"
) -> events_pb2.InboundMessagesUndelivered.Undelivered:
    return events_pb2.InboundMessagesUndelivered.Undelivered(
        inbound_message=one.message.name,
        destination_address=one.message.destination_address,
        attempts=one.attempts + 1,
        failure=failure.reason,
    )
