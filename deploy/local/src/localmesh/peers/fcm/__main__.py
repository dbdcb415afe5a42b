"""`python -m localmesh.peers.fcm`: serve HTTP/2 over TLS until told to end."""

from contextlib import AsyncExitStack

from localmesh.peers.authority import Authority
from localmesh.peers.command import Options, Ports, run
from localmesh.peers.control import LOOPBACK, Control
from localmesh.peers.fcm.accounts import ServiceAccount
from localmesh.peers.fcm.behaviour import FcmBehaviour
from localmesh.peers.fcm.service import TOKEN_PATH, FcmService
from localmesh.peers.http import Request
from localmesh.peers.http2 import Http2Server

PROJECT = "heliograph-local"


async def serve(options: Options, stack: AsyncExitStack) -> Ports:
    """Open both doors. POST /revoke on the control door makes all access tokens worthless."""
    account = ServiceAccount(options.data_dir, PROJECT)

    async def revoke(_: Request) -> dict[str, int]:
        return {"revoked": account.revoke_all()}

    control = Control(options.data_dir, FcmBehaviour(), {("POST", "/revoke"): revoke})
    control_port = await control.start(options.control_port)
    stack.push_async_callback(control.stop)
    service = FcmService(control, account)
    server = Http2Server(service.answer, lambda: control.behaviour.requests_per_connection)
    tls = Authority(options.authority_dir).server_context("h2")
    port = await server.start(LOOPBACK, options.port, tls)
    stack.push_async_callback(server.stop)
    account.publish(f"https://{LOOPBACK}:{port}{TOKEN_PATH}")
    return {"https": port, "control": control_port}


if __name__ == "__main__":
    run("localmesh.peers.fcm", serve)
