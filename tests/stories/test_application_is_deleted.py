"""An application is deleted in the middle of a campaign, and a service dies while it erases."""

import pytest
from google.longrunning import operations_pb2
from heliograph.audience.v1.application_service_pb2 import (
    DeleteApplicationMetadata,
    DeleteApplicationRequest,
    DeleteApplicationResponse,
    GetApplicationRequest,
)
from heliograph.errors import HeliographError
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

MEMBERS = 3_000
SERVICES = {"audience", "campaign", "messaging", "analytics", "twoway"}


async def asked(client, operation):
    """The operation as it stands, and the services that it calls done."""
    request = operations_pb2.GetOperationRequest(name=operation.name)
    found = await client.operations.GetOperation(request)
    progress = DeleteApplicationMetadata()
    found.metadata.Unpack(progress)
    return found, {one.service for one in progress.services if one.HasField("erase_time")}


@pytest.mark.parametrize("victim", ["messaging", "audience"])
async def test_deleting_an_application_stops_its_campaign_and_erases_it_everywhere(
    local_mesh, shop, client, tmp_path, victim
):
    await shop.import_phones(MEMBERS, tmp_path)
    await shop.carrier.behave(answer_delay_seconds=0.2)
    await shop.launch("spring", "Hello")
    await shop.reached(0.05)

    operation = await client.applications.DeleteApplication(
        DeleteApplicationRequest(name=shop.parent)
    )
    await local_mesh.kill(victim)

    said = []

    async def is_done():
        found, done = await asked(client, operation)
        said.append((found.done, done == SERVICES))
        return found.done

    await eventually(is_done)
    assert (True, False) not in said
    assert said[-1] == (True, True)
    texts = len(await shop.texts())
    found, _ = await asked(client, operation)
    response = DeleteApplicationResponse()
    found.response.Unpack(response)
    erased = {one.service: one.erased_rows for one in response.services}
    assert erased["audience"]["endpoint"] == MEMBERS
    assert erased["campaign"]["campaign"] == 1
    assert erased["messaging"]["messages"] > 0
    assert erased["twoway"]["phone_numbers"] == 1
    assert texts < MEMBERS

    with pytest.raises(HeliographError, match="was deleted"):
        await client.applications.GetApplication(GetApplicationRequest(name=shop.parent))
    assert len(await shop.texts()) == texts, "nothing follows the end of the operation"
