"""`kill -9` of any process at any moment: no message twice, none lost."""

import asyncio
import random

import pytest
from mesh_shop import SETTLE_SECONDS_OF_PATIENCE

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

MEMBERS = 1_500

IN_DOUBT_MAX = 64
"""What one kill of messaging may leave in doubt: what fits the carrier's window."""


@pytest.mark.parametrize("victim", ["audience", "campaign", "messaging", "analytics", "twoway"])
async def test_a_service_killed_again_and_again(local_mesh, shop, tmp_path, victim):
    await _survives(local_mesh, shop, tmp_path, [(victim,), (victim,)], random.Random(victim))


async def test_services_killed_two_at_once_during_a_campaign(local_mesh, shop, tmp_path):
    rounds = [("campaign", "messaging"), ("messaging", "twoway"), ("audience", "campaign")]
    await _survives(local_mesh, shop, tmp_path, rounds, random.Random(2))


@pytest.mark.parametrize("victim", ["nats", "postgres", "clickhouse"])
async def test_a_server_killed_during_a_campaign(local_mesh, shop, tmp_path, victim):
    await _survives(local_mesh, shop, tmp_path, [(victim,)], random.Random(victim))


async def _survives(local_mesh, shop, folder, rounds, moments):
    """A campaign reaches everybody although processes are killed, those of a round at once."""
    kills = sum("messaging" in victims for victims in rounds)
    if not kills:
        await shop.settle_within(SETTLE_SECONDS_OF_PATIENCE)
    await shop.import_phones(MEMBERS, folder)
    await shop.carrier.behave(answer_delay_seconds=0.1)
    shares = sorted(moments.uniform(0.02, 0.4) for _ in rounds)

    run = await shop.launch("killed", "Hello")
    for share, victims in zip(shares, rounds, strict=True):
        await shop.reached(share)
        await asyncio.gather(*(local_mesh.kill(victim) for victim in victims))

    in_doubt = await shop.unknown(await shop.finished(run))
    assert in_doubt <= IN_DOUBT_MAX * kills
    await shop.reported(run)
