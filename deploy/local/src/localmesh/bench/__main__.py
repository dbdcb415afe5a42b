"""`python -m localmesh.bench [measure …]`: print the table, write `build/bench.json`."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from heliograph.client import Client
from heliograph.connection import local

from localmesh.bench import (
    campaign,
    consent,
    endpoints,
    events,
    processes,
    segments,
    twoway,
    unary,
    updates,
)
from localmesh.bench.figures import Figure, show, write
from localmesh.bench.stage import Stage, set_the_stage
from localmesh.interrupts import interruptible
from localmesh.supervisor import LocalMesh

FOLDER = Path("build/bench")
FIGURES = Path("build/bench.json")
MEASURES: Mapping[str, Callable[[Stage], Awaitable[None]]] = {
    "endpoints": endpoints.measure,
    "campaign": campaign.measure,
    "events": events.measure,
    "unary": unary.measure,
    "updates": updates.measure,
    "segments": segments.measure,
    "twoway": twoway.measure,
    "consent": consent.measure,
}
"""Each prepares what it needs, so that it can be run alone. In this order by default."""


async def run(folder: Path, names: Sequence[str]) -> list[Figure]:
    """Start a fresh mesh and measure it."""
    shutil.rmtree(folder, ignore_errors=True)
    async with LocalMesh(folder / "mesh") as mesh, Client(local(folder / "mesh")) as client:
        stage = await set_the_stage(mesh, client, folder)
        peaks: dict[str, float] = {}
        for name in names:
            sys.stdout.write(f"measuring {name}\n")
            sys.stdout.flush()
            pids = stage.pids
            processes.forget_peaks(pids.values())
            await MEASURES[name](stage)
            for process, pid in pids.items():
                peaks[process] = max(peaks.get(process, 0.0), processes.peak_mib(pid))
        return [*stage.figures, *_of_memory(peaks)]


def _of_memory(peaks: Mapping[str, float]) -> list[Figure]:
    return [
        Figure(f"peak memory of {process}", peak, "MiB", peak_mib=peak)
        for process, peak in peaks.items()
    ]


def main() -> None:
    """Measure, show and write."""
    parser = argparse.ArgumentParser(prog="python -m localmesh.bench", description=__doc__)
    parser.add_argument("measure", nargs="*", choices=[[], *MEASURES], help="all if left out")
    names = parser.parse_args().measure or list(MEASURES)
    figures = asyncio.run(interruptible(run(FOLDER, names)))
    write(figures, FIGURES)
    show(figures)


if __name__ == "__main__":
    main()
