"""The messages that this process holds: in a handler, or waiting for another attempt."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from mesh.eventing import metrics
from mesh.eventing.delivery import Delivery
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

log = structlog.get_logger(__name__)

Key = tuple[int, datetime]


@dataclass(eq=False)
class HeldMessage:
    """A message that is neither acknowledged nor returned; `attempts` counts those made here."""

    message: Msg
    delivery: Delivery
    attempts: int = 0
    due: float | None = None
    """When to try again, in the loop's time; None while it is in a handler."""
    patient: bool = False
    """Whether it waits until it is due, whatever happens to others."""
    hurried: bool = False
    """Whether its last attempt came before it was due."""

    @property
    def key(self) -> Key:
        """Tells it from every other message, also from one of a stream made anew."""
        return self.delivery.sequence, self.delivery.receive_time


class Held:
    """Keeps the server patient about all messages held, and knows which are due again."""

    def __init__(self, consumer: str, ack_wait_seconds: float) -> None:
        self._messages: dict[Key, HeldMessage] = {}
        self._deferred = asyncio.Event()
        self._interval_seconds = ack_wait_seconds / 3
        self._gauge = metrics.HELD.labels(consumer)
        self._pending = metrics.PENDING.labels(consumer)

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[HeldMessage]:
        return iter(list(self._messages.values()))

    def take(self, messages: Iterable[Msg]) -> list[HeldMessage]:
        """Hold what has been delivered; those that are new, as opposed to delivered again.

        A message is delivered again while it is held when the connection was away for longer than
        the ack wait: then its newer delivery is the one to answer.
        """
        new: list[HeldMessage] = []
        for message in messages:
            arrived = HeldMessage(message, Delivery.of(message))
            known = self._messages.setdefault(arrived.key, arrived)
            if known is arrived:
                new.append(arrived)
            else:
                known.message = message
            self._pending.set(message.metadata.num_pending)
        self._gauge.set(len(self._messages))
        return new

    def defer(self, held: HeldMessage, delay_seconds: float, *, patient: bool = False) -> None:
        """Keep the message for another attempt after some time, or sooner if `hurry` says so.

        A patient one waits in any case; so does one that was hurried in vain.
        """
        held.due = asyncio.get_running_loop().time() + delay_seconds
        held.patient, held.hurried = patient or held.hurried, False
        self._deferred.set()

    def hurry(self) -> None:
        """What was away seems to be back: try all that wait for it, and all together."""
        now = asyncio.get_running_loop().time()
        for held in self:
            if held.due is not None and not held.patient:
                held.due, held.hurried = min(held.due, now), True
                self._deferred.set()

    async def due(self) -> None:
        """Wait until a deferred message is due."""
        while True:
            times = [held.due for held in self if held.due is not None]
            seconds = min(times) - asyncio.get_running_loop().time() if times else None
            if seconds is not None and seconds <= 0:
                return
            await self._sleep(seconds)

    def take_due(self) -> list[HeldMessage]:
        """The deferred messages that are due now; they count as working from here on."""
        now = asyncio.get_running_loop().time()
        ready = [held for held in self if held.due is not None and held.due <= now]
        for held in ready:
            held.due = None
        return ready

    def let_go(self, held: HeldMessage) -> None:
        """The message has been answered."""
        self._messages.pop(held.key, None)
        self._gauge.set(len(self._messages))

    async def _sleep(self, seconds: float | None) -> None:
        """Sleep so long, or until something is deferred, which may be due sooner."""
        self._deferred.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._deferred.wait()

    async def keep(self) -> None:
        """Until cancelled, tell the server in time that every held message is being worked on."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            for held in self:
                try:
                    await held.message.in_progress()
                except (NatsError, OSError) as error:
                    log.warning("cannot keep messages", error=repr(error), held=len(self))
                    break
