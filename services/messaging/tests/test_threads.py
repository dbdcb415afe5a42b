"""What one number sent to one person, from either end, page by page."""

from heliograph.messaging.v1 import message_service_pb2 as pb
from messaging_samples import PARENT, RUN, batch, endpoint, number, send_request

SENDER = "+12065550100"


async def listed(room, origination=SENDER, page_size=2, **wanted):
    """All pages of the thread with the first phone."""
    request = pb.ListThreadMessagesRequest(
        parent=PARENT,
        origination_identity=origination,
        address=number(1),
        page_size=page_size,
        **wanted,
    )
    messages = []
    while True:
        page = await room.messages.ListThreadMessages(request)
        messages += page.messages
        if not page.next_page_token:
            return messages
        request.page_token = page.next_page_token


async def test_a_thread_is_read_from_either_end_and_between_two_times(room):
    await room.publish(batch([endpoint(1), endpoint(2)], said="Well?"))
    await room.settled(2)
    for index in range(4):
        await room.messages.SendMessages(send_request(number(1), request_id=f"r{index}"))
        await room.settled(3 + index)

    newest = await listed(room)
    oldest = await listed(room, oldest_first=True)

    assert [one.name for one in newest] == [one.name for one in reversed(oldest)]
    assert [one.run for one in oldest] == [RUN, "", "", "", ""]
    times = [one.send_time.ToNanoseconds() for one in oldest]
    assert times == sorted(times)
    part = await listed(room, start_time=oldest[1].send_time, end_time=oldest[3].send_time)
    assert [one.name for one in part] == [oldest[2].name, oldest[1].name]
    assert await listed(room, origination="+12065550199") == []
