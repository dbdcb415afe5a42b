"""What the sample's people did in the app: sessions, and a shop with its funnel."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.event_pb2 import Event

from localmesh.sample.people import Person

FUNNEL = ("product.view", "cart.add", "checkout.start", "_monetization.purchase")
GOES_ON = 0.55
"""Share of those at one step who take the next."""


def events(people: Iterable[Person], now: datetime, seed: int = 1) -> Iterator[Event]:
    """A session and as much of the funnel for each person, within the last hour before `now`."""
    random = Random(seed)
    for person in people:
        start = now - timedelta(minutes=random.randint(10, 60))
        session = f"s-{person.serial}"
        yield _event(person, "_session.start", start, session)
        for step, event_type in enumerate(FUNNEL, start=1):
            if random.random() > GOES_ON:
                break
            time = start + timedelta(minutes=step)
            event = _event(person, event_type, time, session)
            event.attributes["product"] = random.choice(("bicycle", "saucepan", "chess set"))
            if event_type == FUNNEL[-1]:
                event.metrics["_item_price"] = round(random.uniform(5, 300), 2)
            yield event
        yield _event(person, "_session.stop", start + timedelta(minutes=9), session)


def _event(person: Person, event_type: str, time: datetime, session: str) -> Event:
    event = Event(
        event_id=f"{session}-{event_type}",
        event_type=event_type,
        event_time=_timestamp(time),
        endpoint_id=person.endpoint_id,
        user_id=person.user_id,
    )
    event.session.session_id = session
    event.session.start_time.CopyFrom(event.event_time)
    event.app.title = "Sample shop"
    event.app.country = person.country.code
    return event


def _timestamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
