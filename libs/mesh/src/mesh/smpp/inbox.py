"""Requests from the peer: collected while the handler works, handed to it in batches."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from mesh.smpp.status import Status

_log = structlog.get_logger(__name__)


class Reply(NamedTuple):
    """How a request of the peer is answered; `message_id` only goes with ESME_ROK."""

    status: int = Status.ESME_ROK
    message_id: str = ""


class Request(NamedTuple):
    """A request as it came, with the sequence number that its reply must carry."""

    sequence: int
    pdu: Any


Replies = Sequence[Reply | asyncio.Future[Reply] | None]
"""Replies in the order of their requests.

A future answers its request when it resolves, and the next batch does not wait for it. None leaves
a request unanswered, as a fault would.
"""

Handle = Callable[[Sequence[Any]], Awaitable[Replies]]
"""Takes over a batch; its replies are written once it returns."""


class Inbox:
    """Hands requests over one batch at a time, and answers each batch in one write.

    If the handler fails, the batch is answered with `failed`, so that the peer keeps it. At most
    `waiting_max` requests wait; `put` says no to more.
    """

    def __init__(
        self,
        handle: Handle,
        answer: Callable[[Sequence[tuple[Request, Reply]]], None],
        *,
        failed: Status,
        batch_max: int,
        waiting_max: int,
    ) -> None:
        self._handle = handle
        self._answer = answer
        self._failed = failed
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._waiting: list[Request] = []
        self._worker: asyncio.Task[None] | None = None

    def put(self, request: Request) -> bool:
        """Queues a request; False if too many wait already."""
        if len(self._waiting) >= self._waiting_max:
            return False
        self._waiting.append(request)
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
        return True

    def drop_waiting(self) -> None:
        """Forgets what was not handed over yet: unanswered, so the peer will send it again."""
        self._waiting.clear()

    async def idle(self) -> None:
        """Returns when everything has been handed over."""
        if self._worker is not None:
            await asyncio.wait({self._worker})

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._batch_max]
                del self._waiting[: len(batch)]
                self._answer_each(batch, await self._replies(batch))
        finally:
            self._worker = None

    def _answer_each(self, batch: Sequence[Request], replies: Replies) -> None:
        now: list[tuple[Request, Reply]] = []
        for request, reply in zip(batch, replies, strict=True):
            if isinstance(reply, Reply):
                now.append((request, reply))
            elif reply is not None:
                reply.add_done_callback(partial(self._answer_later, request))
        self._answer(now)

    def _answer_later(self, request: Request, reply: asyncio.Future[Reply]) -> None:
        if not reply.cancelled():
            self._answer([(request, reply.result())])

    async def _replies(self, batch: Sequence[Request]) -> Replies:
        try:
            return await self._handle([request.pdu for request in batch])
        except Exception:
            _log.exception("smpp.handler_failed", requests=len(batch))
            return [Reply(self._failed)] * len(batch)
