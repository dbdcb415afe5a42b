"""Telling what messages wait for: at once, then once a minute, and when it is back.

What is away keeps hundreds of messages waiting, each tried again and again; a line for every
attempt would hide all others.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from mesh.eventing import dead_letters, fates
from mesh.eventing.delivery import Delivery
from mesh.eventing.fates import Fate
from mesh.eventing.handling import Handling
from mesh.eventing.held import Held, HeldMessage
from mesh.eventing.put_offs import PutOffs
from nats.js import JetStreamContext

log = structlog.get_logger(__name__)


class Absences:
    """What is away. Consumers that need the same thing share one of these, so it is told once."""

    def __init__(self) -> None:
        self._reasons = PutOffs()
        self._since: dict[str, float] = {}

    def add(self, reason: str, deliveries: int, now_seconds: float) -> int | None:
        """How many deliveries to tell of now, counted since it was last told; None: not now."""
        told = self._reasons.add(reason, deliveries, now_seconds)
        if told is not None:
            self._since.setdefault(reason, now_seconds)
        return told

    def end(self, now_seconds: float) -> dict[str, float]:
        """Everything that was told of is back: reasons, and the seconds since they were told first.

        One that goes away again within the minute is told when that is over.
        """
        over, self._since = self._since, {}
        return {reason: now_seconds - since for reason, since in over.items()}


class TellingHandling(Handling):
    """Handling that tells of an absence where it would tell of each attempt."""

    def __init__(
        self,
        absences: Absences,
        *,
        js: JetStreamContext,
        consumer: str,
        handler: Callable[[list[Delivery]], Awaitable[None]],
        held: Held,
        max_deliver: int,
        timeout_seconds: float,
    ) -> None:
        super().__init__(
            js=js,
            consumer=consumer,
            handler=handler,
            held=held,
            max_deliver=max_deliver,
            timeout_seconds=timeout_seconds,
        )
        self._absences = absences

    def _log_failure(self, deliveries: list[Delivery], error: Exception) -> None:
        if fates.judge(error) is not Fate.WAIT:
            super()._log_failure(deliveries, error)
            return
        reason = dead_letters.reason_of(error)
        told = self._absences.add(reason, len(deliveries), asyncio.get_running_loop().time())
        if told is not None:
            log.warning(
                "messages wait",
                consumer=self._consumer,
                reason=reason,
                error=str(error),
                subject=deliveries[0].subject,
                event_id=deliveries[0].event_id,
                deliveries=told,
            )

    async def _answer(
        self, held: HeldMessage, outcome: str, *, delay_seconds: float | None = None
    ) -> None:
        if outcome == "ack" and held.attempts > 1:
            over = self._absences.end(asyncio.get_running_loop().time())
            for reason, seconds in over.items():
                log.info(
                    "messages wait no longer",
                    consumer=self._consumer,
                    reason=reason,
                    seconds=round(seconds, 1),
                )
        await super()._answer(held, outcome, delay_seconds=delay_seconds)
