"""Where a bench plays: a fresh mesh, an application connected to the peers, a measured clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from heliograph.audience.v1.application_pb2 import Application
from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest
from heliograph.client import Client

from localmesh import tenant
from localmesh.bench.figures import Figure, peaks_mib
from localmesh.supervisor import LocalMesh

APP = "bench"
PARENT = f"applications/{APP}"
NUMBER = "+12125550199"


@dataclass
class Stage:
    """The mesh that is measured, and what was measured so far."""

    mesh: LocalMesh
    client: Client
    folder: Path
    figures: list[Figure] = field(default_factory=list)

    def note(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        yardstick: float | None = None,
        limit: float | None = None,
        process: str = "",
    ) -> None:
        """Keep a figure; its ratio is to `yardstick`, its memory that of `process`."""
        peaks = peaks_mib(self.mesh.description.pids)
        self.figures.append(
            Figure(
                name=name,
                value=round(value, 1),
                unit=unit,
                limit=limit,
                ratio=None if yardstick is None else round(value / yardstick, 3),
                peak_mib=peaks.get(process),
            )
        )


class Stopwatch:
    """Seconds that the block took."""

    seconds = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """`with stopwatch() as watch: …; watch.seconds`."""
    watch, began = Stopwatch(), time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - began


async def set_the_stage(mesh: LocalMesh, client: Client, folder: Path) -> Stage:
    """An application connected to the peers."""
    await client.applications.CreateApplication(
        CreateApplicationRequest(application_id=APP, application=Application())
    )
    await tenant.connect(client, PARENT, mesh.description.providers, NUMBER)
    return Stage(mesh, client, folder)
