"""Handing a chunk over: consent, provider, record, announce; what is for later goes round again."""

import asyncio
from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.obstacles import asks_consent
from mesh.errors import Error
from mesh.eventing.consumer import Later as DeliverLater
from mesh.telemetry import logging
from nats.js import JetStreamContext

from messaging import events
from messaging.announcing import announce
from messaging.caps import caps
from messaging.channels.outcomes import Later, Outcome, Unknown
from messaging.connections import Connections
from messaging.ledger import claims, outcomes, unknowns
from messaging.ledger.outcomes import Recorded
from messaging.ledger.persistence import Pool, persist
from messaging.people import leaving_out
from messaging.pipeline import recording, resends
from messaging.pipeline.consent import Consent
from messaging.pipeline.driving import Driving
from messaging.pipeline.patience import Patience
from messaging.pipeline.works import Work, is_to_be_held, skip_late

_log = logging.get(__name__)

CONSENT_RETRY_SECONDS = 2.0


class Handing:
    """Brings messages that are `HANDING` to their outcomes."""

    def __init__(
        self, pool: Pool, js: JetStreamContext, consent: Consent, connections: Connections
    ) -> None:
        self._pool = pool
        self._js = js
        self._consent = consent
        self._connections = connections
        self._driving = Driving(pool, connections)

    async def run(self, batch: SendBatch, works: list[Work], patience: Patience) -> None:
        """Until every message has left `HANDING` and `ACCEPTED` behind.

        Raises the consumer's Later when the batch should come again: then what is left of it is
        `ACCEPTED`, and everything else recorded and announced.
        """
        while works:
            allowed, unknown = await self._consenting(batch, works)
            answers = await self._driving.drive(allowed)
            later = await self._record(batch, allowed, answers)
            if unknown:
                raise DeliverLater(CONSENT_RETRY_SECONDS, "consent is unknown")
            if not later:
                return
            if len(later) == len(works):
                delay_seconds = recording.delay_seconds(answers, at_least=1.0)
                raise DeliverLater(delay_seconds, "the provider takes nothing now")
            patience.check()
            await asyncio.sleep(recording.delay_seconds(answers))
            if is_to_be_held(batch, later, datetime.now(UTC)):
                raise DeliverLater(0.0, "quiet time has begun")
            works = await self._again(batch, later)

    async def strand(self, batch: SendBatch, works: Sequence[Work], words: str) -> None:
        """Makes messages `UNKNOWN`: receipt, policy or a person will settle them."""
        if not works:
            return
        first, now = works[0].row, datetime.now(UTC)
        noted = [self._unknown(batch, work, words, now) for work in works]
        await persist(
            self._pool,
            lambda c: unknowns.note(c, first.application, first.day, noted, now),
            atomic=True,
        )
        _log.warning("messages.unknown", batch_id=batch.batch_id, count=len(works), words=words)

    def _unknown(self, batch: SendBatch, work: Work, words: str, now: datetime) -> unknowns.Unknown:
        row = work.row
        open_channel = self._connections.get(row.application, row.channel_type)
        if open_channel is None:
            return unknowns.Unknown(row.message_id, now, detail=words)
        again = not work.erased_by and resends.resends(
            open_channel.channel, row.purpose, batch.batch_id
        )
        resend = resends.alone(batch, work).SerializeToString() if again else b""
        due = now + timedelta(seconds=open_channel.settle_window_seconds)
        return unknowns.Unknown(row.message_id, due, resend, words)

    async def _consenting(
        self, batch: SendBatch, works: list[Work]
    ) -> tuple[list[Work], Sequence[Work]]:
        """Those who may be written to, and those of whom nobody could say it."""
        works = await self._present(batch, works)
        asked = [work for work in works if asks_consent(work.row.channel_type, work.row.purpose)]
        try:
            refusing = await self._consent.refusing([work.row for work in asked])
        except Error as error:
            # Nobody has answered, so nothing is sent; it is as if it had not been tried.
            await self._settle(batch, asked, Message.ACCEPTED)
            _log.warning("consent.unknown", messages=len(asked), error=error.message)
            return _without(works, {work.row.message_id for work in asked}), asked
        if not refusing:
            return works, ()
        refused = [work for work in asked if work.row.message_id in refusing]
        await self._settle(batch, refused, Message.SKIPPED, Reason.OPTED_OUT)
        return _without(works, refusing), ()

    async def _present(self, batch: SendBatch, works: list[Work]) -> list[Work]:
        """Those whose recipients have not been erased since they were marked `HANDING`."""
        gone = await persist(self._pool, lambda c: leaving_out.leave_out(c, batch, works))
        if gone:
            await self._settle(batch, gone, Message.SKIPPED, Reason.SUPPRESSED)
            await persist(self._pool, lambda c: leaving_out.scrub(c, gone))
        return [work for work in works if not work.erased_by]

    async def _settle(
        self,
        batch: SendBatch,
        works: Sequence[Work],
        state: Message.State.ValueType,
        reason: Reason.ValueType = Reason.REASON_UNSPECIFIED,
    ) -> None:
        """Gives rows the same end, and announces it if it is one."""
        now = datetime.now(UTC)
        for work in works:
            work.row.state, work.row.reason, work.row.update_time = state, reason, now
        settled = [Recorded(work.row.message_id, state, reason) for work in works]
        await self._write(batch, works, settled, now)
        if state in events.KINDS:
            kind = events.KINDS[state]
            await self._announce(works, [events.event(work.row, kind, now) for work in works])

    async def _record(
        self, batch: SendBatch, works: Sequence[Work], answers: Sequence[Outcome]
    ) -> list[Work]:
        """Writes and announces the outcomes; the works that are for later."""
        now = datetime.now(UTC)
        pairs = list(zip(works, answers, strict=True))
        known = [(work, answer) for work, answer in pairs if not isinstance(answer, Unknown)]
        if known:
            recorded = [recording.recorded(work, answer, now) for work, answer in known]
            done = [work for work, _ in known]
            sent_times = await self._write(batch, done, recorded, now)
            await self._announce(done, recording.told(done, sent_times))
        lost = [work for work, answer in pairs if isinstance(answer, Unknown)]
        await self.strand(batch, lost, "the provider did not answer")
        return [work for work, answer in known if isinstance(answer, Later)]

    async def _again(self, batch: SendBatch, works: list[Work]) -> list[Work]:
        """Takes `ACCEPTED` rows once more; those whose time is over, or is quiet, end here."""
        now = datetime.now(UTC)
        for work in works:
            work.row.update_time = now
            work.row.state = Message.HANDING
        skip_late(batch, works, now)
        rows, capped = [work.row for work in works], batch.HasField("caps")

        async def take(connection: Any) -> set[UUID]:
            taken = await claims.take(connection, rows)
            if capped:
                await caps.give_back(connection, batch.caps, rows)
            return taken

        taken = await persist(self._pool, take, atomic=capped)
        works = [work for work in works if work.row.message_id in taken]
        skipped = [work for work in works if work.rendered is None]
        told = [events.event(work.row, MessageEvent.SKIPPED, now) for work in skipped]
        await self._announce(skipped, told)
        return [work for work in works if work.rendered is not None]

    async def _write(
        self,
        batch: SendBatch,
        works: Sequence[Work],
        recorded: Sequence[Recorded],
        now: datetime,
    ) -> dict[UUID, datetime | None]:
        if not works:
            return {}
        first, capped = works[0].row, batch.HasField("caps")

        async def write(connection: Any) -> dict[UUID, datetime | None]:
            sent_times = await outcomes.record(
                connection, first.application, first.day, recorded, now
            )
            if capped:
                await caps.give_back(connection, batch.caps, [work.row for work in works])
            return sent_times

        return await persist(self._pool, write, atomic=capped)

    async def _announce(self, works: Sequence[Work], told: list[MessageEvent]) -> None:
        if told:
            await announce(self._js, works[0].row.application, told)


def _without(works: Sequence[Work], ids: Container[UUID]) -> list[Work]:
    return [work for work in works if work.row.message_id not in ids]
