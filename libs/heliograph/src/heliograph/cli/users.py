"""`heliograph users`: the people behind endpoints."""

import sys
from typing import TYPE_CHECKING

from cyclopts import App
from heliograph.cli import erasures, output
from heliograph.cli.names import application
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.audience.v1.application_service_pb2 import ServiceErasure
    from heliograph.audience.v1.erasure_report_pb2 import KeptData
    from heliograph.audience.v1.user_service_pb2 import DeleteUserRequest
    from heliograph.client import Client

app = App(name="users", help="The people behind endpoints: delete.")


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

    if not yes:
        sys.stderr.write(f"This erases {user} everywhere for good. Say --yes if that is meant.\n")
        sys.exit(2)
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
