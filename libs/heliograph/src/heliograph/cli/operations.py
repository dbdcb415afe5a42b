"""`heliograph operations`: long work of a service, seen and ended by its own name."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.client import Client

app = App(
    name="operations",
    help="Long work of audience and twoway: list, show, cancel. Files of endpoints: imports, "
    "exports.",
)

Service = Literal["audience", "twoway"]
STUBS = {"audience": "operations", "twoway": "opt_out_operations"}
TOLD_BY = {
    "audience": ("endpoint_service", "transfer_service", "user_service", "application_service"),
    "twoway": ("opt_out_service",),
}
"""The protos that say what long work of a service tells."""

COLUMNS = {"operation": "name", "done": "done", "how far": "metadata", "failure": "error.message"}


@app.command(name="list")
def list_(*, app: str, service: Service = "audience", limit: int = 50, json: bool = False) -> None:
    """List operations, in no order.

    Parameters
    ----------
    service
        Whose they are: twoway imports and exports opt-out lists.
    """
    from google.longrunning.operations_pb2 import ListOperationsRequest
    from heliograph.paging import collect

    _know(service)
    request = ListOperationsRequest(name=application(app), page_size=min(limit, 1000))
    found = talk(
        lambda mesh: collect(
            _stub(mesh, service).ListOperations, request, "operations", limit=limit
        )
    )
    output.print_messages(found, COLUMNS, as_json=json)


@app.command
def show(operation: str, *, app: str, service: Service = "audience", json: bool = False) -> None:
    """Show an operation: how far it is, and how it ended.

    Parameters
    ----------
    service
        Whose it is: twoway imports and exports opt-out lists.
    """
    from google.longrunning.operations_pb2 import GetOperationRequest

    _know(service)
    request = GetOperationRequest(name=resource(app, "operations", operation))
    found = talk(lambda mesh: _stub(mesh, service).GetOperation(request))
    output.print_message(found, as_json=json)


@app.command
def cancel(operation: str, *, app: str, service: Service = "audience", json: bool = False) -> None:
    """End an operation; what it has done stays.

    Parameters
    ----------
    service
        Whose it is: twoway imports and exports opt-out lists.
    """
    from google.longrunning.operations_pb2 import CancelOperationRequest

    name = resource(app, "operations", operation)
    request = CancelOperationRequest(name=name)
    talk(lambda mesh: _stub(mesh, service).CancelOperation(request))
    show(name, app=app, service=service, json=json)


def _stub(mesh: "Client", service: Service) -> Any:
    return getattr(mesh, STUBS[service])


def _know(service: Service) -> None:
    """Load what operations carry, as it is packed and can be shown by who knows it alone."""
    for proto in TOLD_BY[service]:
        import_module(f"heliograph.{service}.v1.{proto}_pb2")
