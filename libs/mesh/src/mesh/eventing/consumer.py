"""A durable pull consumer: every message reaches its handler at least once, and none gets lost.

The outcome of the handler decides the answer: it returns → ack; it raises an `Error` that no
repetition can cure → dead letter; something it needs is away → the message is held here and tried
again; anything else → delivered again with growing delay, `max_deliver` times, then dead letter.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, overload

import structlog
from mesh.backoff import Backoff
from mesh.cancelling import cancelled
from mesh.errors import Error
from mesh.eventing import dead_letters, jetstream
from mesh.eventing.absences import Absences
from mesh.eventing.delivery import Delivery, Later
from mesh.eventing.handling import Handling
from mesh.eventing.held import Held, HeldMessage
from mesh.eventing.pull import ConsumerMissingError, Pull
from mesh.eventing.telling import Telling
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

__all__ = ["Consumer", "Delivery", "Later"]

log = structlog.get_logger(__name__)

LINGER_SECONDS = 10.0
"""How long one pull request stays at the server."""

RECOVERY_DELAY_SECONDS = 0.5
ACK_PENDING_MAX = 10_000

BACKOFF = Backoff(first_seconds=1.0, max_seconds=60.0)

EachHandler = Callable[[Delivery], Awaitable[None]]
BatchHandler = Callable[[list[Delivery]], Awaitable[None]]


@dataclass(frozen=True)
class _Limits:
    concurrency: int
    batch: int
    held_max: int
    stop_seconds: float


class Consumer:
    """`async with Consumer(js, stream=…, durable=…, subject=…, handler=…):` consumes meanwhile.

    Without `batch`, the handler gets one `Delivery` and `concurrency` of them run at once. With it,
    the handler gets a list of at most so many; when it fails because of one of them, the list is
    cut in halves until that one is found, so a handler must be able to see a message again.

    A handler may take as long as `handler_timeout_seconds`: the server is kept patient meanwhile,
    and `ack_wait_seconds` is only how soon another process takes over from a dead one. At most
    `held_max` messages are held, counting those that wait because something is away. `backoff` is
    how long what failed waits for its next attempt.

    Leaving the block is graceful: what runs may finish within `stop_seconds`, the rest is returned.
    Processes with the same `durable` share the work. Consumers that need the same thing may share
    `absences`: then one of them tells that it is away.
    """

    @overload
    def __init__(
        self,
        js: JetStreamContext,
        stream: str,
        durable: str,
        subject: str | Sequence[str],
        handler: EachHandler,
        *,
        batch: None = None,
        concurrency: int = 16,
        ack_wait_seconds: float = 30.0,
        max_deliver: int = 10,
        handler_timeout_seconds: float = 300.0,
        held_max: int = 1_000,
        stop_seconds: float = 8.0,
        absences: Absences | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None: ...

    @overload
    def __init__(
        self,
        js: JetStreamContext,
        stream: str,
        durable: str,
        subject: str | Sequence[str],
        handler: BatchHandler,
        *,
        batch: int,
        concurrency: int = 4,
        ack_wait_seconds: float = 30.0,
        max_deliver: int = 10,
        handler_timeout_seconds: float = 300.0,
        held_max: int = 1_000,
        stop_seconds: float = 8.0,
        absences: Absences | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None: ...

    def __init__(
        self,
        js: JetStreamContext,
        stream: str,
        durable: str,
        subject: str | Sequence[str],
        handler: EachHandler | BatchHandler,
        *,
        batch: int | None = None,
        concurrency: int = 16,
        ack_wait_seconds: float = 30.0,
        max_deliver: int = 10,
        handler_timeout_seconds: float = 300.0,
        held_max: int = 1_000,
        stop_seconds: float = 8.0,
        absences: Absences | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None:
        self._js = js
        self._stream = stream
        self._durable = durable
        self._subjects = [subject] if isinstance(subject, str) else list(subject)
        self._ack_wait_seconds = ack_wait_seconds
        self._limits = _Limits(concurrency, batch or 1, held_max, stop_seconds)
        self._held = Held(durable, ack_wait_seconds)
        self._handling = Handling(
            js=js,
            consumer=durable,
            handler=_in_lists(handler, batch),
            held=self._held,
            telling=Telling(durable, absences or Absences()),
            max_deliver=max_deliver,
            timeout_seconds=handler_timeout_seconds,
            backoff=backoff,
        )
        self._working: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(concurrency)
        self._loops: list[asyncio.Task[None]] = []

    async def ensure(self) -> None:
        """Create the durable consumer, or bring it up to date, and the stream of dead letters.

        Waits for the stream, which another service may own; raises Unavailable when it stays away.
        """
        await jetstream.wait_for_stream(self._js, self._stream)
        await dead_letters.ensure_stream(self._js)
        single = self._subjects[0] if len(self._subjects) == 1 else None
        await self._js.add_consumer(
            self._stream,
            ConsumerConfig(
                name=self._durable,
                durable_name=self._durable,
                filter_subject=single,
                filter_subjects=None if single else self._subjects,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=self._ack_wait_seconds,
                # The limit is kept here, where giving up means a dead letter and not silence.
                max_deliver=-1,
                max_ack_pending=ACK_PENDING_MAX,
            ),
        )

    async def run(self) -> None:
        """Consume until cancelled, then stop gracefully."""
        async with self:
            await asyncio.gather(*self._loops)

    async def __aenter__(self) -> Self:
        self._loops = [
            asyncio.create_task(self._consume(), name=f"consumer {self._durable}"),
            asyncio.create_task(self._retry(), name=f"consumer {self._durable} retries"),
            asyncio.create_task(self._held.keep(), name=f"consumer {self._durable} keeps"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        consuming, retrying, keeping = self._loops
        await cancelled(consuming)
        await cancelled(retrying)
        if self._working:
            await asyncio.wait(self._working, timeout=self._limits.stop_seconds)
        for task in list(self._working):
            await cancelled(task)
        await cancelled(keeping)
        for held in self._held:
            await self._handling.give_back(held)
        await _flush(self._js._nc)

    async def _consume(self) -> None:
        """Whatever happens to the server or the consumer, begin again."""
        while True:
            try:
                await self.ensure()
                await self._pull_until_missing()
            except (NatsError, OSError, Error, ConsumerMissingError) as error:
                log.warning("consumer starts again", consumer=self._durable, error=repr(error))
            except Exception:
                log.exception("consumer starts again", consumer=self._durable)
            await asyncio.sleep(RECOVERY_DELAY_SECONDS)

    async def _pull_until_missing(self) -> None:
        pull = Pull(self._js._nc, self._stream, self._durable)
        await pull.open()
        try:
            while True:
                await self._step(pull)
        finally:
            await pull.close()

    async def _step(self, pull: Pull) -> None:
        """Hand out new messages, as far as there is room for them."""
        self._changed.clear()
        free = self._limits.concurrency - len(self._working)
        room = min(free * self._limits.batch, self._limits.held_max - len(self._held))
        if room > 0:
            self._start(self._held.take(await pull.fetch(room, LINGER_SECONDS)))
        else:
            await self._changed.wait()

    async def _retry(self) -> None:
        """Hand out again what had to wait here: what comes due while handlers are busy, together.

        One by one, it would be as many batches of one.
        """
        while True:
            await self._held.due()
            async with self._slots:
                ready = self._held.take_due()
            self._start(ready)

    def _start(self, messages: list[HeldMessage]) -> None:
        for start in range(0, len(messages), self._limits.batch):
            chunk = messages[start : start + self._limits.batch]
            task = asyncio.create_task(self._run(chunk))
            self._working.add(task)
            task.add_done_callback(self._finished)

    async def _run(self, chunk: list[HeldMessage]) -> None:
        async with self._slots:
            await self._handling.run(chunk)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._changed.set()


def _in_lists(handler: EachHandler | BatchHandler, batch: int | None) -> BatchHandler:
    if batch is not None:
        return handler  # type: ignore[return-value]  # the overloads tie it to `batch`

    async def each(deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            await handler(delivery)  # type: ignore[arg-type]  # the overloads tie it to `batch`

    return each


async def _flush(client: Client) -> None:
    """The last answers must leave before the connection is closed."""
    if client.is_connected:
        try:
            await client.flush(timeout=2)
        except (NatsError, OSError):
            log.warning("the last answers may be lost")
