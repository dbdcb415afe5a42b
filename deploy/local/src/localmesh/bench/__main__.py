"""`python -m localmesh.bench`: measure everything, print the table, write `build/bench.json`."""

import asyncio
import shutil
import sys
from pathlib import Path

from heliograph.client import Client
from heliograph.connection import local

from localmesh.bench import campaign, endpoints, events, unary
from localmesh.bench.figures import Figure, peaks_mib, show, write
from localmesh.bench.stage import set_the_stage
from localmesh.interrupts import interruptible
from localmesh.supervisor import LocalMesh

FOLDER = Path("build/bench")
FIGURES = Path("build/bench.json")
MEASURES = {
    "endpoints": endpoints.measure,
    "campaign": campaign.measure,
    "events": events.measure,
    "unary": unary.measure,
}
"""In this order, as later ones send to what earlier ones have imported."""


async def run(folder: Path) -> list[Figure]:
    """Start a fresh mesh and measure it."""
    shutil.rmtree(folder, ignore_errors=True)
    async with LocalMesh(folder / "mesh") as mesh, Client(local(folder / "mesh")) as client:
        stage = await set_the_stage(mesh, client, folder)
        for name, measure in MEASURES.items():
            sys.stdout.write(f"measuring {name}\n")
            sys.stdout.flush()
            await measure(stage)
        peaks = peaks_mib(mesh.description.pids)
        memory = [Figure(f"peak memory of {name}", peak, "MiB") for name, peak in peaks.items()]
        return [*stage.figures, *memory]


def main() -> None:
    """Measure, show and write."""
    figures = asyncio.run(interruptible(run(FOLDER)))
    write(figures, FIGURES)
    show(figures)


if __name__ == "__main__":
    main()
