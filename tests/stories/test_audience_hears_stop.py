"""Whoever says STOP is out of reach of every segment seconds later, and can be told why."""

import asyncio
import json
import os
import sys

import pytest
from heliograph.audience.v1.endpoint_service_pb2 import ExplainEligibilityRequest
from heliograph.audience.v1.segment_service_pb2 import CountSegmentRequest
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

MEMBERS = 20


async def eligible(shop):
    counted = await shop.client.segments.CountSegment(
        CountSegmentRequest(name=f"{shop.parent}/segments/everybody")
    )
    assert counted.total == MEMBERS
    return counted.eligible


async def explained(shop, endpoint, campaign=""):
    return await shop.client.endpoints.ExplainEligibility(
        ExplainEligibilityRequest(name=f"{shop.parent}/endpoints/{endpoint}", campaign=campaign)
    )


async def test_a_stop_is_counted_and_explained_and_a_start_ends_it(local_mesh, shop, tmp_path):
    await shop.import_phones(MEMBERS, tmp_path)
    campaign = (await shop.launch("hello", "Hello")).partition("/runs/")[0]
    before = await explained(shop, "e000003", campaign)
    assert (await eligible(shop), before.eligible, before.treatment) == (MEMBERS, True, "a")

    await shop.say([shop.phones[3]], "STOP")

    async def is_out_of_reach():
        return await eligible(shop) == MEMBERS - 1

    await eventually(is_out_of_reach)
    for told in (await explained(shop, "e000003"), await explained(shop, "e000003", campaign)):
        assert not told.eligible
        (obstacle,) = told.obstacles
        assert obstacle.reason == "OPTED_OUT"
        assert shop.phones[3] in obstacle.detail
        assert shop.number in obstacle.detail
        assert obstacle.since_time.ToJsonString()[:16] in obstacle.detail
    assert (await explained(shop, "e000004", campaign)).eligible
    await _is_told_by_the_command(local_mesh, shop, campaign)

    await shop.say([shop.phones[3]], "START")

    async def is_back():
        return await eligible(shop) == MEMBERS

    await eventually(is_back)
    assert (await explained(shop, "e000003", campaign)).eligible


async def test_a_stop_while_audience_is_dead_is_heard_when_it_is_back(local_mesh, shop, tmp_path):
    await shop.import_phones(MEMBERS, tmp_path)
    killing = asyncio.create_task(local_mesh.kill("audience"))

    await shop.say(shop.phones[:5], "Stop.")
    await killing

    async def are_out_of_reach():
        return await eligible(shop) == MEMBERS - 5

    await eventually(are_out_of_reach)


async def _is_told_by_the_command(local_mesh, shop, campaign):
    async def said(*arguments):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "heliograph.cli", "endpoints", "explain", *arguments),
            env={**os.environ, "HELIOGRAPH_DATA": str(local_mesh.layout.root), "COLUMNS": "200"},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode()

    name = f"{shop.parent}/endpoints/e000003"
    told = json.loads(await said(name, "--campaign", campaign, "--json"))
    table = await said("e000003", "--app", shop.app, "--campaign", "hello")

    assert [one["reason"] for one in told["obstacles"]] == ["OPTED_OUT"]
    assert told["obstacles"][0]["since_time"]
    assert f"{name} would get nothing" in table
    assert "OPTED_OUT" in table
    assert shop.phones[3] in table
