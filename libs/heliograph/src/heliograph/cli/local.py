"""`heliograph up`, `demo` and `token`: a mesh of your own on this machine."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from heliograph.cli import output
from heliograph.cli.names import application
from heliograph.cli.session import talk

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


def setup(*, app: str, number: str, json: bool = False) -> None:
    """Connect an application to the simulated carrier, mailbox and FCM of the mesh on this machine.

    Parameters
    ----------
    number
        The number that it sends from and people answer to, for example +12125550100.
    """
    from heliograph.connection import find

    providers = find().providers
    if not providers:
        sys.exit(
            "heliograph: this mesh has no simulated peers; create its channels by ChannelService"
        )
    tenant = _localmesh("localmesh.tenant")
    made = talk(lambda mesh: tenant.connect(mesh, application(app), providers, number))
    if json:
        output.print_json(made)
    else:
        output.print_table(["ready"], [(name,) for name in made])


def token(
    *,
    app: list[str] | None = None,
    role: str = "writer",
    subject: str = "cli",
    hours: float = 24.0,
    data: Data = None,
) -> None:
    """Make a token for a mesh on this machine.

    Parameters
    ----------
    app
        Application it may touch; may be repeated. Without: every one.
    role
        admin, writer or reader.
    subject
        Whom it is for; stands in logs.
    """
    made = _localmesh("localmesh.tokens").mint(_folder(data), app, role, subject, hours)
    sys.stdout.write(f"{made}\n")


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
