"""The server side: accepts binds and gives each session to its owner."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from mesh.smpp.inbox import Replies
from mesh.smpp.limits import Limits
from mesh.smpp.pdu import Bind, SubmitSm
from mesh.smpp.role import smsc
from mesh.smpp.session import Session
from mesh.smpp.status import Status

Submitted = Callable[[Session, Sequence[SubmitSm]], Awaitable[Replies]]


class Smsc:
    """Listens, and answers submit_sm as `submitted` says; `sessions` are those bound now."""

    def __init__(
        self,
        *,
        authenticate: Callable[[Bind], Status],
        submitted: Submitted,
        on_bound: Callable[[Session], None] = lambda _: None,
        system_id: str = "smsc",
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._role = smsc(system_id, authenticate)
        self._submitted = submitted
        self._on_bound = on_bound
        self._limits = limits
        self._tls = tls
        self._connected: set[Session] = set()
        self._server: asyncio.Server | None = None

    @property
    def sessions(self) -> list[Session]:
        """The bound sessions."""
        return [session for session in self._connected if session.is_open]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listens; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, host, port, ssl=self._tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Unbinds every session and stops listening."""
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(session.close(grace_seconds) for session in self._connected))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _session(self) -> Session:
        async def handle(pdus: Sequence[SubmitSm]) -> Replies:
            return await self._submitted(session, pdus)

        session = Session(self._role, handle, limits=self._limits, on_bound=self._on_bound)
        self._connected.add(session)
        session.lost.add_done_callback(partial(self._lost, session))
        return session

    def _lost(self, session: Session, _: asyncio.Future[str]) -> None:
        self._connected.discard(session)
