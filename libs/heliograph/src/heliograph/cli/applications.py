"""`heliograph apps`: the walls between tenants."""

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application
from heliograph.cli.session import talk

app = App(name="apps", help="Applications: list, create, show.")

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
