"""Running a handler on messages and answering the server by its outcome."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from mesh.backoff import Backoff
from mesh.errors import Error
from mesh.eventing import dead_letters, fates, metrics, tracing
from mesh.eventing.delivery import Delivery, Later
from mesh.eventing.fates import Fate
from mesh.eventing.held import Held, HeldMessage
from mesh.eventing.telling import Telling
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

log = structlog.get_logger(__name__)


class HandlerTooSlowError(Exception):
    """The handler was cut off; unlike a timeout of something it asked, this counts against it."""


class Handling:
    """What a consumer does with the messages it holds."""

    def __init__(
        self,
        *,
        js: JetStreamContext,
        consumer: str,
        handler: Callable[[list[Delivery]], Awaitable[None]],
        held: Held,
        telling: Telling,
        max_deliver: int,
        timeout_seconds: float,
        backoff: Backoff,
    ) -> None:
        self._js = js
        self._consumer = consumer
        self._handler = handler
        self._held = held
        self._telling = telling
        self._max_deliver = max_deliver
        self._timeout_seconds = timeout_seconds
        self._backoff = backoff
        self._seconds = metrics.HANDLING_SECONDS.labels(consumer)

    async def run(self, messages: list[HeldMessage]) -> None:
        """Handle the messages together and answer each. Only a cancellation leaves them held."""
        failure = await self._attempt(messages)
        if failure is None:
            self._held.hurry()
            for held in messages:
                await self._answer(held, "ack")
            return
        fate = fates.judge(failure)
        if len(messages) > 1 and fate in (Fate.DEAD, Fate.RETRY):
            middle = len(messages) // 2
            await self.run(messages[:middle])
            await self.run(messages[middle:])
            return
        for held in messages:
            await self._settle(held, fate, failure)

    async def give_back(self, held: HeldMessage) -> None:
        """Return the message so that another process gets it at once."""
        await self._answer(held, "returned")

    async def _attempt(self, messages: list[HeldMessage]) -> Exception | None:
        deliveries = [held.delivery for held in messages]
        attributes: dict[str, str | int] = {
            "messaging.system": "nats",
            "messaging.destination.name": deliveries[0].subject,
            "messaging.consumer.group.name": self._consumer,
            "messaging.batch.message_count": len(deliveries),
        }
        carriers = [delivery.headers for delivery in deliveries]
        for held in messages:
            held.attempts += 1
        with tracing.consuming(f"{self._consumer} process", carriers, attributes) as span:
            try:
                with self._seconds.time():
                    await self._handle(deliveries)
            except Exception as error:
                span.record_exception(error)
                self._telling.failed(deliveries, error)
                return error
        return None

    async def _handle(self, deliveries: list[Delivery]) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds) as limit:
                await self._handler(deliveries)
        except TimeoutError as error:
            if limit.expired():
                raise HandlerTooSlowError(f"no end after {self._timeout_seconds} s") from error
            raise

    async def _settle(self, held: HeldMessage, fate: Fate, failure: Exception) -> None:
        if fate is Fate.LATER and isinstance(failure, Later):
            await self._answer(held, "later", delay_seconds=failure.seconds)
        elif fate is Fate.WAIT:
            self._wait(held, failure)
        elif fate is Fate.DEAD or held.delivery.num_delivered >= self._max_deliver:
            await self._bury(held, failure)
        else:
            delay_seconds = self._backoff.after(held.delivery.num_delivered)
            await self._answer(held, "retry", delay_seconds=delay_seconds)

    def _wait(self, held: HeldMessage, failure: Exception) -> None:
        asked = failure.retry_after_seconds if isinstance(failure, Error) else None
        delay_seconds = self._backoff.after(held.attempts, asked_seconds=asked)
        self._held.defer(held, delay_seconds, patient=asked is not None)
        metrics.CONSUMED.labels(self._consumer, "wait").inc()

    async def _bury(self, held: HeldMessage, failure: Exception) -> None:
        try:
            await dead_letters.bury(self._js, held.delivery, self._consumer, failure)
        except Error as error:
            self._wait(held, error)
        else:
            await self._answer(held, "dead")

    async def _answer(
        self, held: HeldMessage, outcome: str, *, delay_seconds: float | None = None
    ) -> None:
        """Tell the server. An answer that is lost means another delivery, which is harmless."""
        if outcome == "ack" and held.attempts > 1:
            self._telling.worked()
        self._held.let_go(held)
        metrics.CONSUMED.labels(self._consumer, outcome).inc()
        try:
            if outcome == "ack":
                await held.message.ack()
            elif outcome == "dead":
                await held.message.term()
            else:
                await held.message.nak(delay=delay_seconds)
        except (NatsError, OSError) as error:
            log.warning("answer lost", consumer=self._consumer, error=repr(error))
