"""What a consumer says of messages that it could not handle."""

import asyncio
from collections.abc import Sequence

import structlog
from mesh.eventing import dead_letters, fates, metrics
from mesh.eventing.absences import Absences
from mesh.eventing.delivery import Delivery, Later
from mesh.eventing.fates import Fate
from mesh.eventing.put_offs import PutOffs

log = structlog.get_logger(__name__)


class Telling:
    """One consumer's log lines: each failure, but of what lasts a line a minute."""

    def __init__(self, consumer: str, absences: Absences) -> None:
        self._consumer = consumer
        self._absences = absences
        self._put_offs = PutOffs()

    def failed(self, deliveries: Sequence[Delivery], error: Exception) -> None:
        """An attempt has failed."""
        if isinstance(error, Later):
            self._put_off(deliveries, error)
        elif fates.judge(error) is Fate.WAIT:
            self._waiting(deliveries, error)
        else:
            self._not_handled(deliveries, error)

    def worked(self) -> None:
        """A message that had failed before was handled, so nothing is away any more."""
        for reason, seconds in self._absences.end(_now_seconds()).items():
            log.info(
                "messages wait no longer",
                consumer=self._consumer,
                reason=reason,
                seconds=round(seconds, 1),
            )

    def _put_off(self, deliveries: Sequence[Delivery], later: Later) -> None:
        metrics.PUT_OFF.labels(self._consumer, later.reason).inc(len(deliveries))
        told = self._put_offs.add(later.reason, len(deliveries), _now_seconds())
        if told is not None:
            log.info(
                "message put off",
                consumer=self._consumer,
                reason=later.reason,
                seconds=later.seconds,
                subject=deliveries[0].subject,
                event_id=deliveries[0].event_id,
                num_delivered=deliveries[0].num_delivered,
                deliveries=told,
            )

    def _waiting(self, deliveries: Sequence[Delivery], error: Exception) -> None:
        reason = dead_letters.reason_of(error)
        told = self._absences.add(reason, len(deliveries), _now_seconds())
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

    def _not_handled(self, deliveries: Sequence[Delivery], error: Exception) -> None:
        fate = fates.judge(error)
        log.warning(
            "message not handled",
            consumer=self._consumer,
            subject=deliveries[0].subject,
            event_id=deliveries[0].event_id,
            deliveries=len(deliveries),
            num_delivered=deliveries[0].num_delivered,
            fate=fate.value,
            reason=dead_letters.reason_of(error),
            error=str(error),
            exc_info=error if fate is Fate.RETRY else None,
        )


def _now_seconds() -> float:
    return asyncio.get_running_loop().time()
