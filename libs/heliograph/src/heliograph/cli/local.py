"""`heliograph up`, `demo`, `setup`, `token` and `addresses`: a mesh of your own on this machine."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, validators
from heliograph.cli import output
from heliograph.cli.names import application
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.client import Client

Data = Annotated[
    Path | None, Parameter(help="Its data folder; by default HELIOGRAPH_DATA or build/mesh.")
]


def up(*, data: Data = None) -> None:
    """Start the whole mesh on this machine and keep it running until Ctrl-C."""
    sys.exit(_localmesh("localmesh.up").run(_folder(data)))


def demo(*, data: Data = None, endpoints: int = 50_000) -> None:
    """Run the main job on sample data, checked against the carriers' own logs.

    Parameters
    ----------
    endpoints
        Size of the sample audience.
    """
    sys.exit(_localmesh("localmesh.demo").run(data, endpoints))


def setup(*, app: str, number: list[str], json: bool = False) -> None:
    """Connect an application to the simulated carrier, mailbox and FCM of the mesh on this machine.

    Parameters
    ----------
    number
        What it sends from and people answer to, for example +12125550100. Several for a pool; the
        first is what is sent from where a message names none.
    """
    from heliograph.audience.v1.application_service_pb2 import GetApplicationRequest
    from heliograph.connection import find

    found = find()
    if not found.providers:
        sys.exit(
            "heliograph: this mesh has no simulated peers; create its channels by ChannelService"
        )
    tenant = _localmesh("localmesh.tenant")

    async def connect(mesh: "Client") -> list[str]:
        parent, (first, *others) = application(app), number
        await mesh.applications.GetApplication(GetApplicationRequest(name=parent))
        names: list[str] = await tenant.connect(mesh, parent, found.providers, first)
        if others:
            carrier = _localmesh("localmesh.peers.remote").RemotePeer(found.peers["carrier"])
            names += await tenant.add_numbers(mesh, parent, carrier, first, others)
        return names

    made = talk(connect)
    if json:
        output.print_json(made)
    else:
        output.print_table(["ready"], [(name,) for name in made])


def token(
    *,
    app: list[str] | None = None,
    role: Literal["admin", "writer", "reader"] = "writer",
    subject: str = "cli",
    hours: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 24.0,
    data: Data = None,
) -> None:
    """Make a token for a mesh on this machine.

    Parameters
    ----------
    app
        Application it may touch; may be repeated. Without: every one.
    role
        What it may do.
    subject
        Whom it is for; stands in logs.
    hours
        How long it is good.
    """
    tokens = _localmesh("localmesh.tokens")
    try:
        made = tokens.mint(_folder(data), app, role, subject, hours)
    except ValueError as error:
        sys.exit(f"heliograph: {error}")
    sys.stdout.write(f"{made}\n")


def addresses(service: str = "", /, *, json: bool = False) -> None:
    """Show where the services answer, or the address of one alone, as a program takes it.

    Parameters
    ----------
    service
        For example audience.
    """
    from heliograph.connection import find

    found = find().addresses
    if service and service not in found:
        sys.exit(f"heliograph: expected one of {', '.join(found)}; {service} is none of them")
    if json:
        output.print_json(dict(found))
    elif service:
        sys.stdout.write(f"{found[service]}\n")
    else:
        output.print_table(["service", "address"], found.items())


def _folder(data: Path | None) -> Path:
    from heliograph.connection import data_folder

    return data or data_folder()


def _localmesh(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("localmesh"):
            raise
        sys.exit(
            "heliograph: the mesh for one machine is not installed here; "
            "run this from a checkout after `make setup`"
        )
