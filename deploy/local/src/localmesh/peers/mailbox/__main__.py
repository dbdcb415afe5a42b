"""`python -m localmesh.peers.mailbox`: serve SMTP until told to end."""

import asyncio
import logging
from contextlib import AsyncExitStack

from aiosmtpd.smtp import SMTP

from localmesh.peers.authority import Authority
from localmesh.peers.command import Options, Ports, run
from localmesh.peers.control import LOOPBACK, Control
from localmesh.peers.mailbox.behaviour import MailboxBehaviour
from localmesh.peers.mailbox.handler import MailboxHandler

_MAX_MAIL_BYTES = 40 * 1024 * 1024
_IDLE_SECONDS = 300


async def serve(options: Options, stack: AsyncExitStack) -> Ports:
    """Open both doors; STARTTLS is on offer, nobody has to take it."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    control = Control(options.data_dir, MailboxBehaviour())
    control_port = await control.start(options.control_port)
    stack.push_async_callback(control.stop)
    handler = MailboxHandler(control)
    tls = Authority(options.authority_dir).server_context()

    def session() -> SMTP:
        return SMTP(
            handler,
            hostname="mailbox.localhost",
            ident="Mailbox",
            data_size_limit=_MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            tls_context=tls,
            authenticator=handler.authenticate,
            auth_require_tls=False,
            timeout=_IDLE_SECONDS,
        )

    server = await asyncio.get_running_loop().create_server(session, LOOPBACK, options.port)
    stack.callback(server.close)
    return {"smtp": server.sockets[0].getsockname()[1], "control": control_port}


if __name__ == "__main__":
    run("localmesh.peers.mailbox", serve)
