"""A batch may come any number of times; it is sent once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from heliograph import subjects
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1 import message_service_pb2 as pb
from heliograph.messaging.v1.content_pb2 import PROMOTIONAL
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.eventing import jetstream, publisher
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]


def batch(shop, members, batch_id):
    made = SendBatch(
        batch_id=batch_id,
        application=shop.app,
        run=f"{shop.parent}/campaigns/c/runs/r",
        source=f"{shop.parent}/campaigns/c/runs/r",
        purpose=PROMOTIONAL,
    )
    made.source_time.FromDatetime(datetime(2026, 11, 21, tzinfo=UTC))
    made.treatments.add(treatment="a").content.sms.body = "Hello"
    for number in members:
        made.recipients.add(
            key=f"e{number}",
            endpoint=Endpoint(
                name=f"{shop.parent}/endpoints/e{number}",
                channel_type=channels.SMS,
                address=f"+1212737{number:04}",
                status=Endpoint.ACTIVE,
            ),
        )
    return made


async def test_batches_delivered_again_and_overlapping_send_nothing_twice(local_mesh, shop):
    nats_url = local_mesh.description.nats
    sent = [batch(shop, range(300), "b1"), batch(shop, range(200, 500), "b2")]

    async with jetstream.connect(nats_url) as (_, js):
        await asyncio.gather(
            *(
                publisher.publish(
                    js, one, shop.app, msg_id=f"{shop.app}-{n}-{one.batch_id}", suffix=subjects.BULK
                )
                for n in range(5)
                for one in sent
            )
        )

    async def counted():
        answer = await shop.client.messages.CountMessages(
            pb.CountMessagesRequest(parent=shop.parent, run=sent[0].run)
        )
        return answer.total == 500 and all(row.state in (3, 4) for row in answer.counts)

    await eventually(counted)
    texts = Counter(entry["destination"] for entry in await shop.texts())
    assert len(texts) == 500
    assert set(texts.values()) == {1}
