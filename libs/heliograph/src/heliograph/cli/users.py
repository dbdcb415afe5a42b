"""`heliograph users`: the people behind endpoints."""

import sys
from typing import TYPE_CHECKING

from cyclopts import App
from heliograph.cli import confirming, endpoints, erasures, output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.application_service_pb2 import ServiceErasure
    from heliograph.audience.v1.erasure_report_pb2 import KeptData
    from heliograph.audience.v1.user_service_pb2 import DeleteUserRequest
    from heliograph.client import Client

app = App(name="users", help="The people behind endpoints: show, endpoints, link, unlink, delete.")


@app.command
def show(user: str, *, app: str, json: bool = False) -> None:
    """Show a user: attributes, and how many endpoints."""
    from heliograph.audience.v1.user_service_pb2 import GetUserRequest

    request = GetUserRequest(name=resource(app, "users", user))
    output.print_message(talk(lambda mesh: mesh.users.GetUser(request)), as_json=json)


@app.command(name="endpoints")
def endpoints_(user: str, *, app: str, json: bool = False) -> None:
    """List the endpoints of a user."""
    from heliograph.audience.v1.user_service_pb2 import ListUserEndpointsRequest
    from heliograph.paging import collect

    request = ListUserEndpointsRequest(parent=resource(app, "users", user))
    found = talk(lambda mesh: collect(mesh.users.ListUserEndpoints, request, "endpoints"))
    output.print_messages(found, endpoints.COLUMNS, as_json=json)


@app.command
def link(user: str, endpoint: str, *, app: str, json: bool = False) -> None:
    """Give an endpoint to a user, from whoever had it."""
    _relink("Link", user, endpoint, app, json)


@app.command
def unlink(user: str, endpoint: str, *, app: str, json: bool = False) -> None:
    """Take an endpoint from its user; it stays."""
    _relink("Unlink", user, endpoint, app, json)


def _relink(verb: str, user: str, endpoint: str, app: str, json: bool) -> None:
    from heliograph.audience.v1 import user_service_pb2

    request = getattr(user_service_pb2, f"{verb}EndpointRequest")(
        name=resource(app, "users", user), endpoint=resource(app, "endpoints", endpoint)
    )
    linked = talk(lambda mesh: getattr(mesh.users, f"{verb}Endpoint")(request))
    output.print_message(linked, as_json=json)


@app.command
def delete(
    user: str, *, app: str, forget_erasure: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Erase a person from every service, and print the proof: what is gone, and what is kept.

    Takes about 70 seconds, as the event store keeps what it has rewritten for a minute.
    The erasure goes on when the command is stopped.

    Parameters
    ----------
    user
        The user id.
    forget_erasure
        Leave no keyed hash: a later file may bring the person back.
    yes
        That this is meant; without it, nobody is erased.
    """
    from heliograph.audience.v1.user_service_pb2 import DeleteUserRequest

    confirming.require(yes, f"erases {user} everywhere for good")
    name = f"{application(app)}/users/{user}"
    request = DeleteUserRequest(name=name, forget_erasure=forget_erasure)
    proof = talk(lambda mesh: _delete(mesh, request))
    if json:
        output.print_json([output.as_dict(one) for one in proof])
        return
    print_proof(proof)


def print_proof(proof: "list[ServiceErasure]") -> None:
    """What each service erased, and then what it keeps and why."""
    erasures.print_erased(proof)
    kept = [
        (one.service, what.what, what.rows or "", _until(what), what.why)
        for one in proof
        for what in one.kept
    ]
    if kept:
        output.print_table(["service", "kept", "rows", "until", "because"], kept)


def _until(kept: "KeptData") -> str:
    return kept.until.ToJsonString().partition("T")[0] if kept.HasField("until") else ""


async def _delete(mesh: "Client", request: "DeleteUserRequest") -> "list[ServiceErasure]":
    from heliograph.deletions import erased

    def waits(left: list[str]) -> None:
        sys.stderr.write(f"waiting for {', '.join(left)}\n")

    return await erased(mesh, await mesh.users.DeleteUser(request), waits)
