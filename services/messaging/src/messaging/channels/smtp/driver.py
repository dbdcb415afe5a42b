"""The SMTP driver: mails out over a pool of long-lived connections."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.cancelling import cancelled

from messaging.channels.channel import Answered, Listener, nobody
from messaging.channels.outcomes import Outcome, Refused
from messaging.channels.outgoing import Outgoing
from messaging.channels.sets import NOT_BEGUN, Sets
from messaging.channels.smtp import configuration, letters
from messaging.channels.smtp.connection import Connection
from messaging.channels.smtp.dkim import Signer
from messaging.channels.smtp.headers import HeaderError
from messaging.channels.smtp.pool import Pool


class SmtpDriver:
    """One channel's connections to its mail server. What it reports comes by mail, not here."""

    def __init__(self, channel: Channel, _: Listener) -> None:
        self._configuration = configuration.read(channel)
        self._dkim = channel.smtp.dkim if channel.smtp.HasField("dkim") else None
        self._signer: Signer | None = None
        self._sets = Sets(channel.rate_per_second, self._configuration.connections)
        self._pool: Pool | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the mail server was there the last time."""
        return self._pool is not None and self._pool.is_reachable

    @property
    def rate_per_second(self) -> float:
        """What the channel allows."""
        return self._configuration.rate_per_second

    @property
    def window(self) -> int:
        """One mail at a time on each connection."""
        return self._configuration.connections

    async def open(self) -> None:
        """Begins to connect."""
        self._signer = self._make_signer()
        self._pool = Pool(self._configuration)
        self._watching = asyncio.create_task(self._pool.watch())

    async def close(self) -> None:
        """Lets mails under way end, then disconnects."""
        pool, self._pool = self._pool, None
        if self._watching is not None:
            await cancelled(self._watching)
        if pool is not None:
            await pool.close()

    async def hand_over(
        self, messages: Sequence[Outgoing], answered: Answered = nobody, *, urgent: bool = False
    ) -> Sequence[Outcome]:
        """Sends a set over all connections; what is not begun in time is for later."""
        return await self._sets.hand_over(messages, self._one, lambda: self.ready, answered)

    async def verify(self) -> str:
        """Connects and logs in once; the server's words if it refuses."""
        try:
            self._make_signer()
        except ValueError as error:
            return f"the DKIM key cannot be used: {error}"
        connection = Connection(self._configuration)
        await connection.connect()
        await connection.close()
        return connection.failure

    async def _one(self, message: Outgoing) -> Outcome:
        now = datetime.now(UTC)
        domain = self._configuration.return_path_domain
        try:
            mail = letters.make(message, domain, self._signer, now)
        except HeaderError as error:
            return Refused("HEADER_INVALID", str(error), Reason.RENDERING_FAILED)
        if self._pool is None:
            return NOT_BEGUN
        async with self._pool.connection() as connection:
            return await connection.deliver(mail)

    def _make_signer(self) -> Signer | None:
        if self._dkim is None:
            return None
        return Signer(self._dkim.domain, self._dkim.selector, self._dkim.private_key)
