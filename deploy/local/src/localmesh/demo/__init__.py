"""The main job on sample data, checked against the carriers' own logs."""

import asyncio
import shutil
import sys
from pathlib import Path

from heliograph.client import Client
from heliograph.connection import local
from heliograph.errors import HeliographError
from mesh.embedded.errors import CannotStartError

from localmesh.demo import analytics, answers, audience, campaigns, direct, setting_up
from localmesh.demo.account import Account
from localmesh.demo.world import World
from localmesh.interrupts import interruptible
from localmesh.sample.people import people
from localmesh.supervisor import LocalMesh

DATA_DEFAULT = Path("build/demo")
FIGURES = Path("build/demo.json")
INTERRUPTED = 130


def run(data: Path | None, endpoints: int) -> int:
    """Run the demo in a folder of its own, which it empties first; the exit status."""
    folder = data or DATA_DEFAULT
    account = Account()
    try:
        return asyncio.run(interruptible(_run(folder, endpoints, account)))
    except CannotStartError as error:
        sys.stderr.write(f"heliograph: {error}\n")
        return 1
    except asyncio.CancelledError:
        sys.stderr.write("heliograph: the demo was interrupted; nothing of it runs any more\n")
        return INTERRUPTED


async def _run(folder: Path, endpoints: int, account: Account) -> int:
    _clear(folder)
    async with LocalMesh(folder / "mesh") as mesh:
        account.step("Started the mesh: PostgreSQL, NATS, ClickHouse, five services, three peers")
        async with Client(local(folder / "mesh")) as client:
            world = World(
                mesh=client,
                carrier=mesh.peer("carrier"),
                mailbox=mesh.peer("mailbox"),
                fcm=mesh.peer("fcm"),
                people=list(people(endpoints)),
                folder=folder,
                account=account,
            )
            try:
                await _play(world, mesh.description.providers)
            except HeliographError as error:
                account.differences.append(f"a call was refused: {error.code}: {error.message}")
    account.write(FIGURES)
    return account.conclude(FIGURES)


async def _play(world: World, providers: dict[str, dict[str, object]]) -> None:
    await audience.create_application(world)
    await setting_up.set_up(world, providers)
    await audience.import_sample(world)
    await audience.create_segments(world)
    reached = await campaigns.autumn(world)
    stopped = await answers.answer(world, reached)
    await campaigns.winter(world, stopped)
    await answers.check_silence(world)
    await campaigns.letters(world)
    await direct.push(world)
    await analytics.put_events(world)
    await analytics.report_campaigns(world)


def _clear(folder: Path) -> None:
    """Empty the folder of an earlier demo; a folder that is something else is left alone."""
    if (folder / "mesh").exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
