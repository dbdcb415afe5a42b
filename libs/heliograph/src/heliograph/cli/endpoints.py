"""`heliograph endpoints`: who can be reached."""

from cyclopts import App
from heliograph.cli import exporting, importing, output, removing
from heliograph.cli.explaining import explain
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

app = App(
    name="endpoints", help="Endpoints: import, export, show, list, explain, remove-attributes."
)
app.command(importing.import_, name="import")
app.command(exporting.export)
app.command(explain)
app.command(removing.remove_attributes)

COLUMNS = {
    "endpoint": "name",
    "channel": "channel_type",
    "address": "address",
    "country": "location.country",
    "status": "status",
    "opt-out": "opt_out",
    "user": "user.user_id",
}


@app.command
def show(endpoint: str, *, app: str, json: bool = False) -> None:
    """Show one endpoint."""
    from heliograph.audience.v1.endpoint_service_pb2 import GetEndpointRequest

    request = GetEndpointRequest(name=resource(app, "endpoints", endpoint))
    output.print_message(talk(lambda mesh: mesh.endpoints.GetEndpoint(request)), as_json=json)


@app.command(name="list")
def list_(*, app: str, where: str = "", limit: int = 20, json: bool = False) -> None:
    """List endpoints by id; `--where 'channel_type = SMS AND attributes.color:red'` (AIP-160)."""
    from heliograph.audience.v1.endpoint_service_pb2 import ListEndpointsRequest
    from heliograph.paging import collect

    request = ListEndpointsRequest(
        parent=application(app), page_size=min(limit, 1000), filter=where
    )
    found = talk(
        lambda mesh: collect(mesh.endpoints.ListEndpoints, request, "endpoints", limit=limit)
    )
    output.print_messages(found, COLUMNS, as_json=json)
