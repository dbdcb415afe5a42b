"""A campaign asks, somebody answers YES, and a person takes over until all is said."""

import asyncio
import os
import sys

import pytest
from heliograph.analytics.v1.report_service_pb2 import GetCampaignReportRequest
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import CountSegmentRequest, CreateSegmentRequest
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from heliograph.twoway.v1.keyword_pb2 import Keyword
from heliograph.twoway.v1.keyword_service_pb2 import CreateKeywordRequest
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

PHONES = 5


async def with_yes(shop):
    keyword = Keyword(
        keyword="YES", action=Keyword.AUTOMATIC_RESPONSE, reply_text="Great! What is your size?"
    )
    number = f"{shop.parent}/phoneNumbers/{shop.number}"
    await shop.client.keywords.CreateKeyword(
        CreateKeywordRequest(parent=number, keyword_id="yes", keyword=keyword)
    )


async def who_answered_yes(shop):
    """A segment of those who answered YES to the campaign; its name."""
    segment = await shop.client.segments.CreateSegment(
        CreateSegmentRequest(
            parent=shop.parent,
            segment_id="interested",
            segment=Segment(
                filter={
                    "campaign": {
                        "campaign": f"{shop.parent}/campaigns/shoes",
                        "outcome": "REPLIED",
                        "answers": ["Yes"],
                    }
                }
            ),
        )
    )
    return segment.name


async def received(shop, phone, count):
    """What a phone has got from the shop, once it has got so many texts."""

    async def enough():
        texts = [one["text"] for one in await shop.texts() if one["destination"] == phone]
        assert len(texts) == count, texts
        return texts

    return await eventually(enough)


async def lines(shop, name, count):
    """What was said, the oldest first, once everything of ours has been delivered."""
    request = pb.ListConversationMessagesRequest(name=name, oldest_first=True)

    async def delivered():
        page = await shop.client.conversations.ListConversationMessages(request)
        ours = [line.outbound_message for line in page.messages if line.outbound_message.message]
        assert len(page.messages) == count
        assert {one.state for one in ours} == {"DELIVERED"}
        return page.messages

    return await eventually(delivered)


async def told_by_the_command(local_mesh, *arguments):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliograph.cli", "conversations", *arguments),
        env={**os.environ, "HELIOGRAPH_DATA": str(local_mesh.layout.root)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_a_yes_to_a_campaign_becomes_a_conversation(local_mesh, shop, tmp_path):
    await shop.import_phones(PHONES, tmp_path)
    await with_yes(shop)
    interested = await who_answered_yes(shop)
    run = await shop.launch("shoes", "New shoes are in. Reply YES to hear more.")
    await shop.finished(run)
    ann, ben, *_ = shop.phones
    conversations = shop.client.conversations

    await shop.say([ann], "Yes!")
    await shop.say([ben], "no thanks")
    await received(shop, ann, 2)
    listed = pb.ListConversationsRequest(parent=shop.parent, source_address=ann)
    (conversation,) = (await conversations.ListConversations(listed)).conversations
    await lines(shop, conversation.name, 3)
    await shop.say([ann], "43, in blue please")

    async def has_answered():
        page = await conversations.SearchConversations(
            pb.SearchConversationsRequest(parent=shop.parent, query="BLUE 43")
        )
        return [one.name for one in page.conversations] == [conversation.name]

    await eventually(has_answered)
    await told_by_the_command(
        local_mesh, "reply", ann, "Blue 43 is kept for you.", "--app", shop.app
    )
    assert (await received(shop, ann, 3))[-1] == "Blue 43 is kept for you."
    said = await lines(shop, conversation.name, 5)
    transcript = await told_by_the_command(local_mesh, "show", ann, "--app", shop.app)
    closed = await conversations.CloseConversation(
        pb.CloseConversationRequest(name=conversation.name)
    )

    assert closed.state == closed.CLOSED
    asked, yes, great, size, kept = said
    assert asked.outbound_message.run == run
    assert yes.inbound_message.in_reply_to == asked.outbound_message.message
    assert yes.inbound_message.campaign == f"{shop.parent}/campaigns/shoes"
    assert great.outbound_message.text == "Great! What is your size?"
    assert size.inbound_message.in_reply_to == great.outbound_message.message
    assert kept.outbound_message.text == "Blue 43 is kept for you."
    assert kept.outbound_message.author
    spoken = ["[campaign shoes]", "Yes!", "Great!", "43, in blue", "Blue 43 is kept"]
    places = [transcript.index(words) for words in spoken]
    assert places == sorted(places)

    async def is_counted():
        found = await shop.client.segments.CountSegment(CountSegmentRequest(name=interested))
        report = await shop.client.reports.GetCampaignReport(
            GetCampaignReportRequest(name=f"{shop.parent}/campaigns/shoes")
        )
        return (found.total, report.total.replied) == (1, 2)

    await eventually(is_counted)
