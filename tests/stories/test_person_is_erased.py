"""A person is erased in the middle of a campaign, and a service dies while it erases."""

import json
from collections import Counter

import pytest
from google.longrunning import operations_pb2
from heliograph.analytics.v1.event_service_pb2 import ListEventsRequest
from heliograph.audience.v1.transfer_service_pb2 import ListImportFailuresRequest
from heliograph.audience.v1.user_service_pb2 import (
    DeleteUserMetadata,
    DeleteUserRequest,
    LinkEndpointRequest,
)
from heliograph.imports import followed, upload
from heliograph.messaging.v1.message_service_pb2 import ListMessagesRequest
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

MEMBERS = 200
FIRST, LAST = "e000000", f"e{MEMBERS - 1:06}"
AT_ONCE = {"audience", "campaign", "messaging", "twoway"}
"""Who answers soon. Analytics does when the event store has removed the files that it rewrote."""


async def answered(client, operation):
    """The services that are done, and what they erased."""
    request = operations_pb2.GetOperationRequest(name=operation.name)
    progress = DeleteUserMetadata()
    (await client.operations.GetOperation(request)).metadata.Unpack(progress)
    return {one.service: one for one in progress.services if one.HasField("erase_time")}


async def texted(shop):
    """How often each phone of the person was texted."""
    mine = (shop.phones[0], shop.phones[-1])
    return Counter(
        text["destination"] for text in await shop.texts() if text["destination"] in mine
    )


async def test_nothing_reaches_a_person_who_is_erased_and_nothing_is_known_of_them(
    local_mesh, shop, client, tmp_path
):
    await shop.import_phones(MEMBERS, tmp_path)
    user = f"{shop.parent}/users/ann"
    for endpoint in (FIRST, LAST):
        name = f"{shop.parent}/endpoints/{endpoint}"
        await client.users.LinkEndpoint(LinkEndpointRequest(name=user, endpoint=name))
    await shop.carrier.behave(answer_delay_seconds=0.3)
    run = await shop.launch("spring", "Hello")
    await shop.reached(0.05)

    operation = await client.users.DeleteUser(DeleteUserRequest(name=user))
    await local_mesh.kill("messaging")

    async def are_done():
        return (await answered(client, operation)).keys() >= AT_ONCE

    await eventually(are_done)
    proof = await answered(client, operation)
    before = await texted(shop)
    await shop.carrier.behave_normally()
    ended = await shop.finished(run)
    assert await texted(shop) == before, "nothing follows the answer of messaging"
    assert sum(row.count for row in ended.counts) == ended.members
    assert proof["audience"].erased_rows["endpoint"] == 2

    async def are_forgotten():
        events = await client.events.ListEvents(
            ListEventsRequest(parent=shop.parent, endpoint_id=FIRST)
        )
        return not events.events

    await eventually(are_forgotten)
    for asked in ({"user_id": "ann"}, {"address": shop.phones[0]}):
        found = await client.messages.ListMessages(ListMessagesRequest(parent=shop.parent, **asked))
        assert not found.messages

    path = tmp_path / "again.jsonl"
    rows = [
        {"Id": FIRST, "ChannelType": "SMS", "Address": shop.phones[0]},
        {"Id": "e1", "ChannelType": "SMS", "Address": shop.phones[1]},
        {"Id": "new", "ChannelType": "VOICE", "Address": shop.phones[-1]},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    job = await followed(client, await upload(client, shop.parent, path))
    refused = await client.transfers.ListImportFailures(ListImportFailuresRequest(parent=job.name))
    assert [(one.line, one.reason) for one in refused.import_failures] == [
        (1, "PERSON_ERASED"),
        (3, "PERSON_ERASED"),
    ]
