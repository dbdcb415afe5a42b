"""The SMTP driver: mails out over a pool of long-lived connections."""

import asyncio
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.smpp.pace import Pace

from messaging.channels.channel import Listener
from messaging.channels.outcomes import Later, Outcome, Refused
from messaging.channels.outgoing import Outgoing
from messaging.channels.smtp import configuration, letters
from messaging.channels.smtp.connection import Connection
from messaging.channels.smtp.dkim import Signer
from messaging.channels.smtp.headers import HeaderError
from messaging.channels.smtp.pool import Pool

_NOT_BEGUN = Later(1.0, "not connected")
_Turns = Iterator[tuple[int, Outgoing]]


class SmtpDriver:
    """One channel's connections to its mail server. What it reports comes by mail, not here."""

    def __init__(self, channel: Channel, _: Listener) -> None:
        self._configuration = configuration.read(channel)
        self._dkim = channel.smtp.dkim if channel.smtp.HasField("dkim") else None
        self._signer: Signer | None = None
        self._pace = Pace(channel.rate_per_second or math.inf)
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
            self._watching.cancel()
            await asyncio.wait({self._watching})
        if pool is not None:
            await pool.close()

    async def hand_over(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Sends a set over all connections; what is not begun in time is for later."""
        outcomes: list[Outcome] = [_NOT_BEGUN] * len(messages)
        turns = enumerate(messages)
        workers = min(self.window, len(messages))
        deadline_seconds = asyncio.get_running_loop().time() + configuration.SET_SECONDS_MAX
        await asyncio.gather(
            *(self._work(turns, outcomes, deadline_seconds) for _ in range(workers))
        )
        return outcomes

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

    async def _work(self, turns: _Turns, outcomes: list[Outcome], deadline_seconds: float) -> None:
        for index, message in turns:
            if not self.ready or not await self._may_begin(deadline_seconds):
                return
            outcomes[index] = await self._one(message)

    async def _one(self, message: Outgoing) -> Outcome:
        now = datetime.now(UTC)
        domain = self._configuration.return_path_domain
        try:
            mail = letters.make(message, domain, self._signer, now)
        except HeaderError as error:
            return Refused("HEADER_INVALID", str(error), Reason.RENDERING_FAILED)
        if self._pool is None:
            return _NOT_BEGUN
        async with self._pool.connection() as connection:
            return await connection.deliver(mail)

    async def _may_begin(self, deadline_seconds: float) -> bool:
        """Reserves a place in the pace and waits for it, unless it lies beyond the deadline."""
        now = asyncio.get_running_loop().time()
        wait_seconds = self._pace.wait_seconds(now)
        if now + wait_seconds > deadline_seconds:
            return False
        self._pace.spend(1)
        await asyncio.sleep(wait_seconds)
        return True

    def _make_signer(self) -> Signer | None:
        if self._dkim is None:
            return None
        return Signer(self._dkim.domain, self._dkim.selector, self._dkim.private_key)
