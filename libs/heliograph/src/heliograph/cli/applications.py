"""`heliograph apps`: the walls between tenants."""

import sys
from typing import TYPE_CHECKING

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.application_service_pb2 import ServiceErasure
    from heliograph.client import Client

app = App(name="apps", help="Applications: list, create, show, delete.")

COLUMNS = {"application": "name", "display name": "display_name", "created": "create_time"}


@app.command(name="list")
def list_(*, json: bool = False) -> None:
    """List the applications that the token may touch."""
    from heliograph.audience.v1.application_service_pb2 import ListApplicationsRequest
    from heliograph.paging import collect

    found = talk(
        lambda mesh: collect(
            mesh.applications.ListApplications, ListApplicationsRequest(), "applications"
        )
    )
    output.print_messages(found, COLUMNS, as_json=json)


@app.command
def create(app: str, *, display_name: str = "", json: bool = False) -> None:
    """Create an application.

    Parameters
    ----------
    app
        Its id: lower-case letters, digits and hyphens, 3 to 63.
    """
    from heliograph.audience.v1.application_pb2 import Application
    from heliograph.audience.v1.application_service_pb2 import CreateApplicationRequest

    request = CreateApplicationRequest(
        application_id=app, application=Application(display_name=display_name)
    )
    made = talk(lambda mesh: mesh.applications.CreateApplication(request))
    output.print_message(made, as_json=json)


@app.command
def show(app: str, *, json: bool = False) -> None:
    """Show an application."""
    from heliograph.audience.v1.application_service_pb2 import GetApplicationRequest

    request = GetApplicationRequest(name=application(app))
    output.print_message(talk(lambda mesh: mesh.applications.GetApplication(request)), as_json=json)


@app.command
def delete(app: str, *, yes: bool = False, json: bool = False) -> None:
    """Delete an application: every service erases all it has, and nothing brings it back.

    Parameters
    ----------
    yes
        That this is meant; without it, nothing is deleted.
    """
    if not yes:
        sys.stderr.write(f"This erases all of {app} for good. Say --yes if that is meant.\n")
        sys.exit(2)
    erased = talk(lambda mesh: _delete(mesh, application(app)))
    if json:
        output.print_json([output.as_dict(one) for one in erased])
        return
    rows = [
        (one.service, table, count)
        for one in erased
        for table, count in sorted(one.erased_rows.items())
        if count
    ]
    output.print_table(["service", "table", "erased"], rows)


async def _delete(mesh: "Client", name: str) -> "list[ServiceErasure]":
    from heliograph.audience.v1.application_service_pb2 import DeleteApplicationRequest
    from heliograph.deletions import erased

    def waits(left: list[str]) -> None:
        sys.stderr.write(f"waiting for {', '.join(left)}\n")

    operation = await mesh.applications.DeleteApplication(DeleteApplicationRequest(name=name))
    return await erased(mesh, operation, waits)
