"""`heliograph operations`: long work of audience, seen and ended by its own name."""

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import resource
from heliograph.cli.session import talk

app = App(name="operations", help="Long work of audience: show, cancel. Files: imports, exports.")


@app.command
def show(operation: str, *, app: str, json: bool = False) -> None:
    """Show an operation: how far it is, and how it ended."""
    from google.longrunning.operations_pb2 import GetOperationRequest

    request = GetOperationRequest(name=resource(app, "operations", operation))
    output.print_message(talk(lambda mesh: mesh.operations.GetOperation(request)), as_json=json)


@app.command
def cancel(operation: str, *, app: str, json: bool = False) -> None:
    """End an operation; what it has done stays."""
    from google.longrunning.operations_pb2 import CancelOperationRequest

    name = resource(app, "operations", operation)
    talk(lambda mesh: mesh.operations.CancelOperation(CancelOperationRequest(name=name)))
    show(name, app=app, json=json)
