"""StreamSendMessages: answers in order, whatever is refused and whoever leaves."""

from collections import Counter

from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.content_pb2 import CustomContent
from heliograph.messaging.v1.message_pb2 import Message
from mesh.rpc.status import to_error
from mesh.testkit.waiting import eventually
from messaging_samples import PARENT, content, number, to


async def test_a_stream_answers_in_order_and_survives_a_refused_request(room):
    requests = [stream_request(f"r{i}", "12345" if i == 2 else number(i)) for i in range(5)]
    requests[3].content.Clear()
    requests[3].content.custom.CopyFrom(CustomContent(data="x"))

    async def sending():
        for request in requests:
            yield request

    answers = [answer async for answer in room.messages.StreamSendMessages(sending())]

    assert [answer.request_id for answer in answers] == [f"r{i}" for i in range(5)]
    assert to_error(answers[3].error).reason == "FIELD_NOT_SUPPORTED"
    assert to_error(answers[2].results[0].error).reason == "ADDRESS_INVALID"
    await room.settled(3)


def stream_request(request_id, address):
    return rpc.StreamSendMessagesRequest(
        parent=PARENT, request_id=request_id, content=content(), recipients=[to(address)]
    )


async def test_requests_of_a_stream_are_worked_on_together(room):
    async def sending():
        for i in range(1000):
            yield stream_request(f"r{i}", number(i))

    answers = [answer async for answer in room.messages.StreamSendMessages(sending())]

    assert [answer.request_id for answer in answers] == [f"r{i}" for i in range(1000)]
    groups = await room.pool.fetchval("SELECT count(DISTINCT batch_id) FROM send_requests")
    assert groups < 250
    assert Counter((await room.settled(1000)).values()) == {"DELIVERED": 1000}


async def test_a_caller_that_leaves_its_stream_leaves_no_loose_ends(room):
    async def sending():
        for i in range(1000):
            yield stream_request(f"r{i}", number(i))

    call = room.messages.StreamSendMessages(sending())
    async for answer in call:
        assert answer.request_id == "r0"
        break
    call.cancel()

    async def quiet():
        rows = await room.rows()
        return rows and not [row for row in rows if row.state != Message.DELIVERED]

    await eventually(quiet)
