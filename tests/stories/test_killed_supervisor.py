"""`kill -9` of the whole mesh during a campaign: started again, it goes on where it was."""

import asyncio
import os
import signal
import sys

import pytest
from heliograph.client import Client
from heliograph.connection import local
from mesh_shop import Shop

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

START_SECONDS_MAX = 90.0


class Up:
    """`python -m localmesh up` in a process group of its own."""

    def __init__(self, folder, settings):
        self.folder = folder
        self._settings = {f"HELIOGRAPH_{name.upper()}": value for name, value in settings.items()}

    async def start(self):
        """Returns when the mesh is up."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "localmesh", "up", "--data", str(self.folder)),
            env={**os.environ, **self._settings},
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(START_SECONDS_MAX):
            while b"Ctrl-C ends it" not in (line := await self._process.stdout.readline()):
                assert line, "it has ended"

    async def end(self, number):
        """Returns when the process has ended by the signal."""
        if self._process.returncode is None:
            self._process.send_signal(number)
        await asyncio.wait_for(self._process.communicate(), START_SECONDS_MAX)


@pytest.fixture
async def up(tmp_path, settings):
    up = Up(tmp_path / "mesh", settings)
    await up.start()
    yield up
    await up.end(signal.SIGTERM)


async def test_a_campaign_goes_on_after_everything_was_killed(up, tmp_path):
    async with Client(local(up.folder)) as client:
        shop = Shop(client, "shop", "+12125550099")
        await shop.open()
        await shop.import_phones(1_000, tmp_path)
        await shop.carrier.behave(answer_delay_seconds=0.1)
        run = await shop.launch("killed", "Hello")
        await shop.reached(0.3)

        await up.end(signal.SIGKILL)
        await up.start()

        await shop.unknown(await shop.finished(run))
