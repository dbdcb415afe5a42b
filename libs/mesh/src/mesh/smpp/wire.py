"""The writing half of a connection: what one turn of the event loop queues leaves in one write."""

import asyncio
from collections.abc import Callable

_LINGER_SECONDS = 5.0


class Wire:
    """Coalesces writes, and asks `more` for what else may go whenever it writes.

    `more` is not asked while the peer does not read, so that what has not been written stays
    where it can still be withdrawn.
    """

    def __init__(self, transport: asyncio.Transport, more: Callable[[], list[bytes]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._more = more
        self._queued: list[bytes] = []
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._writable = True

    @property
    def is_open(self) -> bool:
        """Whether something can still be written."""
        return not self._transport.is_closing()

    def write(self, octets: bytes) -> None:
        """Queues octets; whoever queues outside of a read calls `flush_soon` as well."""
        self._queued.append(octets)

    def flush_soon(self) -> None:
        """Writes at the end of this turn of the event loop."""
        if self._soon is None:
            self._soon = self._loop.call_soon(self.flush)

    def flush_in(self, seconds: float) -> None:
        """Writes later, when the pace allows more."""
        if self._later is None:
            self._later = self._loop.call_later(seconds, self.flush)

    def flush(self) -> None:
        """Writes now, and `more` decides anew what is to be written later."""
        self.detach()
        if not self.is_open:
            return
        if self._writable:
            self._queued += self._more()
        if self._queued:
            self._transport.write(b"".join(self._queued))
            self._queued.clear()

    def pause(self) -> None:
        """The peer does not read."""
        self._writable = False

    def resume(self) -> None:
        """The peer reads again."""
        self._writable = True
        self.flush_soon()

    def close(self) -> None:
        """Writes what is queued, then closes; a peer that does not read is not waited for long."""
        if not self.is_open:
            return
        self._writable = False
        self.flush()
        self._transport.close()
        self._later = self._loop.call_later(_LINGER_SECONDS, self._transport.abort)

    def abort(self) -> None:
        """Closes at once; what is queued is lost."""
        self._transport.abort()

    def detach(self) -> None:
        """Forgets what was planned; also when the connection has ended."""
        for handle in (self._soon, self._later):
            if handle is not None:
                handle.cancel()
        self._soon = self._later = None
