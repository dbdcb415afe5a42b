"""`up`: start the mesh, say how to talk to it, keep it running until told to end."""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from mesh.embedded.errors import CannotStartError

from localmesh.interrupts import interruptible
from localmesh.mesh_file import MeshFile
from localmesh.supervisor import LocalMesh

_EXAMPLE = """
token, good for everything (heliograph token makes narrower ones):
  {token}

in a second terminal:
  source .venv/bin/activate
  export HELIOGRAPH_DATA={data}
  heliograph apps create shop
  heliograph setup --app shop --number +12125550100
  heliograph send +12127370101 --app shop --sms "Hello"
  heliograph inbound STOP --source +12127370101 --to +12125550100

with any gRPC client, for the services answer reflection:
  export TOKEN=$(heliograph token)
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" {audience} list
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" \\
      {audience} heliograph.audience.v1.ApplicationService/ListApplications

Ctrl-C ends it; the data stays in {data}
"""


def run(data_dir: Path) -> int:
    """Returns the exit status: 0 after Ctrl-C or SIGTERM, 1 when the mesh could not start."""
    try:
        asyncio.run(interruptible(_run(data_dir)))
    except CannotStartError as error:
        sys.stderr.write(f"heliograph: {error}\n")
        return 1
    except asyncio.CancelledError:
        _say("the mesh has ended")
    return 0


async def _run(data_dir: Path) -> None:
    began = time.monotonic()

    def report(line: str) -> None:
        _say(f"{time.monotonic() - began:6.1f} s  {line}")

    mesh = LocalMesh(data_dir, report=report)
    _say(f"starting the mesh in {mesh.layout.root}")
    async with mesh:
        report("the mesh is up\n")
        _say(_description(mesh.description, mesh.layout.root))
        if mesh.moved_peers:
            _say(_moved(mesh.moved_peers))
        await asyncio.Event().wait()


def _description(mesh: MeshFile, data_dir: Path) -> str:
    rows = {**mesh.addresses, **{f"{name} control": url for name, url in mesh.peers.items()}}
    lines = [f"  {name:<16} {address}" for name, address in rows.items()]
    example = _EXAMPLE.format(token=mesh.token, data=data_dir, audience=mesh.addresses["audience"])
    return "\n".join(lines) + "\n" + example


def _moved(peers: Mapping[str, int]) -> str:
    """Stands last, where it is read: nothing else says why messages wait."""
    moved = ", ".join(f"{name} (no longer on port {port})" for name, port in peers.items())
    return (
        f"ATTENTION: moved since the last start: {moved}.\n"
        "Channels set up before lead to the old port, and their messages wait.\n"
        "Run `heliograph setup --app APP --number NUMBER` again for each application\n"
        "to lead them to the new one.\n"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
