"""What a service does when an application is deleted: let it in no more, erase what it has, say so.

The work is a row of `tombstones` and not a delivery that is kept waiting: it may take hours, and
goes on wherever a process died. Any number of replicas may do it at once.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from google.protobuf.message import Message
from mesh import worker
from mesh.eventing import dead_letters, passes, publisher
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from mesh.store import erasing, tombstones
from mesh.store.erasing import Rows
from mesh.store.tombstones import Sessions, TombstoneRow, Tombstones
from mesh.telemetry import logging
from mesh.waking import Wakeup
from nats.js import JetStreamContext

SETTLE_SECONDS: Final = 3.0
"""After hearing of it: by then every replica refuses the application, and nothing more comes in."""

POLL_SECONDS: Final = 2.0
SWEEP_SECONDS: Final = 3600.0
TOLD_MAX: Final = 100
"""Tombstones that are looked at in one round."""

Step: TypeAlias = Callable[[str], Awaitable[int]]
"""Erases what is not in a table, or stops what is under way; how much it has found, 0 when none."""

Kept: TypeAlias = tuple[str, str]
"""A stream, and a subject on it with `*` for the application."""

_log = logging.get(__name__)


class Erasures:
    """The erasures of one service. `handle` hears of a deletion, `run` does the work."""

    def __init__(
        self,
        sessions: Sessions,
        js: JetStreamContext,
        gone: Tombstones,
        rows: Sequence[Rows],
        report: Callable[..., Message],
        service: str,
        *,
        heard: type[Any] | None = None,
        before: Sequence[Step] = (),
        after: Sequence[Step] = (),
        kept: Sequence[Kept] = (),
        settle_seconds: float = SETTLE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`heard` announces a deletion (application, operation, delete_time), `report` answers it
        (application, operation, service, erased_rows, erase_time); `kept` is what streams keep."""
        self._sessions = sessions
        self._js = js
        self._gone = gone
        self._rows = rows
        self._report = report
        self._service = service
        self._heard = heard
        self._before = before
        self._after = after
        self._kept = kept
        self._settle = timedelta(seconds=settle_seconds)
        self._poll_seconds = poll_seconds
        self._woken = Wakeup()
        self._swept = -math.inf

    def consumer(self, stream: str, *, ack_wait_seconds: float = 30.0) -> Consumer:
        """Hears of deletions on a stream, each replica of the service some of them."""
        assert self._heard is not None
        heard = self._heard.DESCRIPTOR
        return Consumer(
            self._js,
            stream,
            f"{self._service}-{heard.name}",
            f"{heard.full_name}.*",
            self.handle,
            concurrency=1,
            ack_wait_seconds=ack_wait_seconds,
        )

    async def handle(self, delivery: Delivery) -> None:
        """Hear of a deletion, any number of times; each is answered."""
        assert self._heard is not None
        event = delivery.parse(self._heard)
        delete_time = event.delete_time.ToDatetime(UTC)
        async with self._sessions.begin() as session:
            await tombstones.bury(
                session, event.application, event.operation, delete_time, datetime.now(UTC)
            )
        await self.wake()

    async def wake(self) -> None:
        """Refuse what was just buried, and begin to erase it."""
        await self._gone.refresh()
        self._woken.wake()

    async def run(self) -> None:
        """Erase until cancelled; now and then, look for what came in late."""
        await worker.run(
            "erasures", self._step_or_sweep, poll_seconds=self._poll_seconds, woken=self._woken
        )

    async def _step_or_sweep(self) -> None:
        await self.step()
        now = asyncio.get_running_loop().time()
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            await self.sweep()

    async def step(self) -> None:
        """Bring every erasure as far as it comes; one that fails is tried again with the next."""
        async with self._sessions() as session:
            left = await tombstones.unannounced(session, TOLD_MAX)
        for row in left:
            try:
                await self._finish(row)
            except Exception as error:
                _log.warning("erasure.waits", application=row.application, error=repr(error))

    async def sweep(self) -> None:
        """Erase what calls that were under way when an application was deleted have left."""
        for application in list(self._gone):
            try:
                await self._pass(application)
            except Exception as error:
                _log.warning("erasure.not_swept", application=application, error=repr(error))

    async def _finish(self, row: TombstoneRow) -> None:
        await passes.until_nothing_is_found(
            partial(self._pass, row.application), row.hear_time + self._settle
        )
        await self._announce(row.application)

    async def _pass(self, application: str) -> int:
        found = 0
        for step in self._before:
            found += await step(application)
        found += await erasing.erase(self._sessions, application, self._rows)
        for step in self._after:
            found += await step(application)
        await self._purge(application)
        return found

    async def _purge(self, application: str) -> None:
        """What streams keep, and what nobody could handle."""
        await dead_letters.ensure_stream(self._js)
        for stream, subject in self._kept:
            mine = subject.replace("*", application, 1)
            await self._js.purge_stream(stream, subject=mine)
            await self._js.purge_stream(dead_letters.STREAM, subject=dead_letters.PREFIX + mine)

    async def _announce(self, application: str) -> None:
        now = datetime.now(UTC)
        async with self._sessions.begin() as session:
            row = await tombstones.find(session, application)
            assert row is not None
            row.erase_time = row.erase_time or now
            row.announce_time = now
            report = self._report(
                application=application,
                operation=row.operation,
                service=self._service,
                erased_rows=row.erased_rows,
                erase_time=row.erase_time,
            )
            await publisher.publish(self._js, report, application)
        _log.info("application.erased", application=application, rows=sum(row.erased_rows.values()))
