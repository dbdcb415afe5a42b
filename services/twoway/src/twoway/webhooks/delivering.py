"""The loop that posts texts: each again and again until somebody takes it over or its time is up.

Each address is served by one replica at a time, by a task of its own, so that one that is slow or
dead holds up nobody else; and by no transaction, so that it holds no connection to the database.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from mesh import worker
from mesh.backoff import Backoff
from mesh.store import engine
from mesh.telemetry import logging
from pyreqwest.client import Client
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, metrics
from twoway.wakeups import POLL_SECONDS, Wakeups
from twoway.webhooks import announcing, messages, signing, store
from twoway.webhooks.messages import Waiting
from twoway.webhooks.posting import Poster, UnreachableError
from twoway.webhooks.rules import Webhooks
from twoway.webhooks.store import Failure

DESTINATIONS_MAX: Final = 64
"""Addresses that this replica posts to at once."""

ROUND_MAX: Final = 64
AT_ONCE_MAX: Final = 8
"""Posts on their way to one address."""

LEASE: Final = timedelta(minutes=2)
"""Longer than a round can take; how late another replica takes up what a dead one had."""

log = logging.get(__name__)


BACKOFF: Final = Backoff(first_seconds=2.0, max_seconds=600.0)


@dataclass(frozen=True)
class Retries:
    """How long, and how often, a text is tried."""

    time_to_live: timedelta = timedelta(days=1)
    backoff: Backoff = BACKOFF
    poll_seconds: float = POLL_SECONDS

    def again(self, now: datetime, attempts: int) -> datetime:
        """When to try after so many attempts."""
        return now + timedelta(seconds=self.backoff.after(attempts))


Key = tuple[str, str]
"""An application and an address that it has texts posted to."""

Result = tuple[Waiting, Failure | None]
"""A post, and why it was not taken over; None when it was."""

Failed = tuple[Waiting, Failure]


class Deliverer:
    """Posts what is promised; any number of replicas may do so."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        webhooks: Webhooks,
        poster: Poster,
        wakeups: Wakeups,
        retries: Retries | None = None,
    ) -> None:
        self._sessions = sessions
        self._webhooks = webhooks
        self._poster = poster
        self._retries = retries or Retries()
        self._woken = wakeups.posts.wakeup()
        self._lease = uuid.uuid4().hex
        self._serving: dict[Key, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Post until cancelled."""
        try:
            await worker.run(
                "webhooks", self.step, poll_seconds=self._retries.poll_seconds, woken=self._woken
            )
        finally:
            tasks = list(self._serving.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def step(self) -> None:
        """Begin to serve each address that something is to be posted to, without waiting for it."""
        room = DESTINATIONS_MAX - len(self._serving)
        if room <= 0:
            return
        async with self._sessions.begin() as session:
            due = await store.due(await engine.raw(session), clock.now(), DESTINATIONS_MAX)
        for key in [one for one in due if one not in self._serving][:room]:
            task = asyncio.create_task(self._serve(key), name="webhook")
            self._serving[key] = task
            task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: Key, _: asyncio.Task[None]) -> None:
        del self._serving[key]
        self._woken.wake()

    async def _serve(self, key: Key) -> None:
        """Rounds, until nothing is left to be posted there for now."""
        try:
            while await self.round(key):
                pass
        except Exception:
            # Posts stay promised in the database, and the lease ends by itself.
            log.exception("webhooks.round_failed", application=key[0])

    async def round(self, key: Key) -> bool:
        """Post what is first in each line; whether there may be more to do there at once."""
        now = clock.now()
        async with self._sessions.begin() as session:
            connection = await engine.raw(session)
            failed_rounds = await store.lease(connection, key, self._lease, now, LEASE)
            if failed_rounds is None:
                return False
            # An address that took nothing over the last time is asked with one text.
            limit = 1 if failed_rounds else ROUND_MAX
            waiting, gone = await messages.read(session, key, now, limit)
            await store.done(connection, key[0], gone)
        results = await self._post(key, waiting)
        return await self._record(key, results, failed_rounds) and bool(waiting or gone)

    async def _post(self, key: Key, waiting: Sequence[Waiting]) -> list[Result]:
        if not waiting:
            return []
        try:
            client = await self._poster.client(key[1])
        except UnreachableError as error:
            return [(one, Failure(str(error))) for one in waiting]
        places = asyncio.Semaphore(AT_ONCE_MAX)

        async def post(one: Waiting) -> Result:
            async with places:
                return one, await self._post_one(client, key, one)

        async with client:
            return list(await asyncio.gather(*map(post, waiting)))

    async def _post_one(self, client: Client, key: Key, one: Waiting) -> Failure | None:
        now = clock.now()
        body = messages.body(one)
        headers = signing.headers(
            signing.post_id(key[0], one.inbound_message),
            now,
            body,
            self._webhooks.secrets(key[0], one.secrets, now),
        )
        with metrics.WEBHOOK_SECONDS.time():
            return await self._poster.post(client, key[1], headers, body)

    async def _record(self, key: Key, results: Sequence[Result], failed_rounds: int) -> bool:
        """Note what became of a round; whether the address is well."""
        now = clock.now()
        taken = [one.inbound_message for one, failure in results if not failure]
        failures = [(one, failure) for one, failure in results if failure]
        is_dead = bool(failures) and not taken
        # A round that posted nothing says nothing about the address.
        rounds = 0 if taken else failed_rounds + is_dead
        ended = store.Ended(
            attempt_time=self._retries.again(now, rounds) if is_dead else now,
            failed_rounds=rounds,
            failure=failures[-1][1] if failures else None,
            is_taken=bool(taken),
        )
        over = [(one, failure) for one, failure in failures if self._is_over(one, now)]
        async with self._sessions.begin() as session:
            connection = await engine.raw(session)
            await store.done(connection, key[0], taken)
            await store.failed(
                connection, key[0], [self._failed(one, failure, now) for one, failure in failures]
            )
            announcing.undelivered(session, key, over)
            await store.release(connection, key, self._lease, now, ended)
        self._count(key, len(taken), failures, len(over))
        return not is_dead

    def _failed(
        self, one: Waiting, failure: Failure, now: datetime
    ) -> tuple[str, str, str, datetime]:
        state = "FAILED" if self._is_over(one, now) else "PENDING"
        again = self._retries.again(now, one.attempts + 1)
        return one.inbound_message, failure.reason, state, again

    def _is_over(self, one: Waiting, now: datetime) -> bool:
        return now >= one.create_time + self._retries.time_to_live

    def _count(self, key: Key, taken: int, failures: Sequence[Failed], over: int) -> None:
        metrics.WEBHOOK_POSTS.labels("taken").inc(taken)
        metrics.WEBHOOK_POSTS.labels("postponed").inc(len(failures) - over)
        metrics.WEBHOOK_POSTS.labels("failed").inc(over)
        if failures:
            log.warning(
                "webhooks.failed",
                application=key[0],
                posts=len(failures),
                given_up=over,
                failure=failures[-1][1].reason,
            )
