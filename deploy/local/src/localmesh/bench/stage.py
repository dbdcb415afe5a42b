"""Where a bench plays: a fresh mesh, an application connected to the peers, people in it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from heliograph.audience.v1.application_pb2 import Application
from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest
from heliograph.client import Client
from heliograph.imports import followed, upload

from localmesh import tenant
from localmesh.bench import processes
from localmesh.bench.costs import Costs
from localmesh.bench.figures import Figure
from localmesh.sample import files
from localmesh.sample.files import Sample
from localmesh.sample.people import people
from localmesh.supervisor import LocalMesh

PARENT = "applications/bench"
NUMBER = "+12125550199"
PEOPLE = 40_000
"""Three of five have a phone."""


@dataclass
class Stage:
    """The mesh that is measured, and what was measured so far."""

    mesh: LocalMesh
    client: Client
    sample: Sample
    figures: list[Figure] = field(default_factory=list)
    is_peopled: bool = False

    @property
    def pids(self) -> dict[str, int]:
        """Every process that takes part, by name; the bench itself as `bench`."""
        return {**self.mesh.description.pids, "bench": os.getpid()}

    def note(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        yardstick: float | None = None,
        limit: float | None = None,
        is_ceiling: bool = False,
        process: str = "",
    ) -> None:
        """Keep a figure; its ratio is to `yardstick`, its memory that of `process`."""
        pid = self.pids.get(process)
        self.figures.append(
            Figure(
                name=name,
                value=round(value, 1),
                unit=unit,
                limit=limit,
                ratio=None if yardstick is None else round(value / yardstick, 3),
                peak_mib=None if pid is None else processes.peak_mib(pid),
                is_ceiling=is_ceiling,
            )
        )

    def note_costs(self, costs: Costs, noun: str) -> None:
        """Keep what one of the nouns costs in each process, and what others had of the machine."""
        for process, microseconds in costs.microseconds().items():
            self.note(f"  computing in {process}", microseconds, f"µs/{noun}")
        self.note("  meanwhile other programs had", costs.others_percent, "% of CPU")

    async def people(self) -> None:
        """The sample's people are in the application."""
        if not self.is_peopled:
            for path in self.sample.files:
                await followed(self.client, await upload(self.client, PARENT, path))
            self.is_peopled = True


async def set_the_stage(mesh: LocalMesh, client: Client, folder: Path) -> Stage:
    """An application connected to the peers, and people who may come into it."""
    await make_application(client, PARENT)
    await tenant.connect(client, PARENT, mesh.description.providers, NUMBER)
    return Stage(mesh, client, files.write(people(PEOPLE), folder / "sample"))


async def make_application(client: Client, name: str) -> None:
    """An application without anything."""
    await client.applications.CreateApplication(
        CreateApplicationRequest(application_id=name.rpartition("/")[2], application=Application())
    )
