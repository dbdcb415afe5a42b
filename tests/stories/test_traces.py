"""Each edge of the mesh appears in a trace: who asked whom, over gRPC and over the bus."""

from typing import NamedTuple

import pytest
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]


class Edge(NamedTuple):
    """A span of one service that another service caused."""

    caller: str
    service: str
    span: str


CAMPAIGN = {
    Edge("campaign", "audience", "heliograph.audience.v1.SegmentService/StreamMembers"),
    Edge("campaign", "messaging", "messaging-bulk process"),
    Edge("messaging", "twoway", "heliograph.twoway.v1.OptOutService/CheckConsent"),
    Edge("messaging", "analytics", "analytics-MessagesChanged process"),
}
REPLY = {
    Edge("messaging", "twoway", "twoway-InboundSmsReceived process"),
    Edge("twoway", "messaging", "heliograph.messaging.v1.MessageService/BatchSendMessages"),
    Edge("messaging", "messaging", "messaging-direct process"),
    Edge("messaging", "analytics", "analytics-MessagesChanged process"),
}


async def test_a_campaign_is_traced_through_the_whole_mesh(shop, spans, tmp_path):
    await shop.import_phones(5, tmp_path)
    spans.forget()

    await shop.finished(await shop.launch("traced", "Hello"))

    await eventually(lambda: _traced(spans, "fan out", CAMPAIGN))


async def test_a_reply_is_traced_from_the_text_it_answers(shop, spans, tmp_path):
    await shop.import_phones(1, tmp_path)
    spans.forget()

    await shop.say(shop.phones, "HELP")

    await eventually(lambda: _traced(spans, "receive texts", REPLY))


def _traced(spans, root, edges):
    """Whether one trace that begins with such a span has all the edges."""
    for trace in spans.traces(root):
        seen = {Edge(*edge) for edge in spans.edges(trace)}
        missing = edges - seen
        assert not missing, f"not seen: {missing}; seen: {seen}"
        return True
    return False
