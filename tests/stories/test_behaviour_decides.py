"""What people did decides who is reached next, through analytics and audience."""

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import PutEventsRequest
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import CountSegmentRequest, CreateSegmentRequest
from heliograph.campaign.v1.run_pb2 import Run
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

PHONES, BUYERS, REPLYING = 60, 20, 5


def bought(number: int) -> Event:
    """The phone of that number bought something now."""
    now = Timestamp()
    now.FromDatetime(datetime.now(UTC))
    return Event(
        event_id=f"buy-{number}",
        event_type="buy",
        event_time=now,
        endpoint_id=f"e{number:06}",
        metrics={"price": 10.0 + number},
    )


async def test_whoever_was_reached_and_did_not_buy_is_reminded(shop, tmp_path):
    await shop.import_phones(PHONES, tmp_path)
    await shop.finished(await shop.launch("offer", "20 % off"))
    answer = await shop.client.events.PutEvents(
        PutEventsRequest(parent=shop.parent, events=[bought(number) for number in range(BUYERS)])
    )
    got_it = {"campaign": {"campaign": f"{shop.parent}/campaigns/offer", "outcome": "SENT"}}
    spent = {"name": "price", "comparison": "GREATER_THAN_OR_EQUAL", "value": 20}
    bought_nothing_dear = {"event": {"event_type": "buy", "metrics": [spent], "count_max": 0}}
    segment = await shop.client.segments.CreateSegment(
        CreateSegmentRequest(
            parent=shop.parent,
            segment_id="to-remind",
            segment=Segment(
                filter={"group": {"operator": "ALL", "filters": [got_it, bought_nothing_dear]}}
            ),
        )
    )

    replied = await shop.client.segments.CreateSegment(
        CreateSegmentRequest(
            parent=shop.parent,
            segment_id="replied",
            segment=Segment(filter={"campaign": {**got_it["campaign"], "outcome": "REPLIED"}}),
        )
    )
    await shop.say(shop.phones[:REPLYING], "yes please")

    async def counted(name: str) -> int:
        request = CountSegmentRequest(name=name)
        return (await shop.client.segments.CountSegment(request)).total

    async def all_is_known() -> bool:
        found = [await counted(one.name) for one in (segment, replied)]
        return found == [PHONES - BUYERS // 2, REPLYING]

    assert answer.accepted_count == BUYERS
    await eventually(all_is_known)
    run = await shop.finished(await shop.launch("reminder", "Still 20 % off", "to-remind"))

    reminded = {one["destination"] for one in await shop.texts() if one["text"].startswith("Still")}
    assert (run.state, run.members) == (Run.COMPLETED, PHONES - BUYERS // 2)
    assert reminded == {*shop.phones[: BUYERS // 2], *shop.phones[BUYERS:]}
