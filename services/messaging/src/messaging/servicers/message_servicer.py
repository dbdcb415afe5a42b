"""heliograph.messaging.v1.MessageService."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.aip import pagination
from mesh.errors import Error
from mesh.rpc import status
from nats.js import JetStreamContext

from messaging import names, render, watching
from messaging.caps import caps
from messaging.deciding import Deciding
from messaging.direct.calls import Calls
from messaging.direct.sends import DOMAIN, Answer, Sends
from messaging.ledger import answered, queries, threads
from messaging.ledger.persistence import Pool
from messaging.ledger.rows import run_below
from messaging.servicers import ledger_reads
from messaging.servicers.streaming import in_order

STREAM_WINDOW = 256
"""Requests of one stream that are at work at the same time; they share groups."""


class MessageServicer:
    """Sends messages, and says what became of them."""

    def __init__(
        self, pool: Pool, js: JetStreamContext, calls: Calls, sends: Sends, deciding: Deciding
    ) -> None:
        self._pool = pool
        self._js = js
        self._calls = calls
        self._sends = sends
        self._deciding = deciding

    async def GetMessage(self, request: rpc.GetMessageRequest, context: Any) -> Message:
        application, message_id = names.message_of(request.name)
        row = await queries.get(self._pool, application, message_id)
        if row is None:
            raise ledger_reads.not_found(request.name)
        return render.message(row)

    async def ListMessages(
        self, request: rpc.ListMessagesRequest, context: Any
    ) -> rpc.ListMessagesResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, default_size=100, max_size=1000)
        narrowed = ledger_reads.filter_of(application, request, page.after)
        rows = await queries.find(self._pool, application, narrowed, page.limit)
        rows, token = page.cut(rows, key=lambda row: [str(row.message_id)])
        return rpc.ListMessagesResponse(
            messages=[render.message(row) for row in rows], next_page_token=token
        )

    async def ListThreadMessages(
        self, request: rpc.ListThreadMessagesRequest, context: Any
    ) -> rpc.ListThreadMessagesResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, default_size=100, max_size=1000)
        thread = ledger_reads.thread_of(request, page.after)
        rows = await threads.find(self._pool, application, thread, page.limit)
        rows, token = page.cut(rows, key=lambda row: list(map(str, threads.position(row))))
        return rpc.ListThreadMessagesResponse(
            messages=[render.message(row) for row in rows], next_page_token=token
        )

    async def FindAnsweredMessages(
        self, request: rpc.FindAnsweredMessagesRequest, context: Any
    ) -> rpc.FindAnsweredMessagesResponse:
        application = names.application_of(request.parent)
        rows = await answered.find(self._pool, application, ledger_reads.texts(request))
        return rpc.FindAnsweredMessagesResponse(
            answered_messages=[ledger_reads.answered_message(application, row) for row in rows]
        )

    async def CountMessages(
        self, request: rpc.CountMessagesRequest, context: Any
    ) -> rpc.CountMessagesResponse:
        application = names.application_of(request.parent)
        run = run_below(application, request.run)
        return ledger_reads.counts(await queries.count(self._pool, application, run))

    async def CheckCaps(self, request: rpc.CheckCapsRequest, context: Any) -> rpc.CheckCapsResponse:
        application = names.application_of(request.parent)
        ids = [
            names.endpoint_of(application, name, field="endpoints") for name in request.endpoints
        ]
        usages = await caps.usages(self._pool, application, request.caps, ids, datetime.now(UTC))
        return rpc.CheckCapsResponse(
            usages=[
                rpc.CheckCapsResponse.Usage(
                    endpoint=name,
                    daily_count=usage.counts[Reason.DAILY_CAP],
                    total_count=usage.counts.get(Reason.CAMPAIGN_CAP, 0),
                    reasons=usage.used_up,
                )
                for name, usage in zip(request.endpoints, usages, strict=True)
            ]
        )

    async def SendMessages(
        self, request: rpc.SendMessagesRequest, context: Any
    ) -> rpc.SendMessagesResponse:
        return await self._sends.accept(await self._calls.judge(request, datetime.now(UTC)))

    async def BatchSendMessages(
        self, request: rpc.BatchSendMessagesRequest, context: Any
    ) -> rpc.BatchSendMessagesResponse:
        judged = await self._calls.judge_all(request.parent, request.requests, datetime.now(UTC))
        accepted = iter(
            await self._sends.accept_all([one for one in judged if not isinstance(one, Error)])
        )
        outcomes = [one if isinstance(one, Error) else next(accepted) for one in judged]
        return rpc.BatchSendMessagesResponse(results=map(_result, outcomes))

    async def StreamSendMessages(
        self, requests: AsyncIterator[rpc.StreamSendMessagesRequest], context: Any
    ) -> AsyncIterator[rpc.StreamSendMessagesResponse]:
        async for answer in in_order(requests, self._answer, STREAM_WINDOW):
            yield answer

    async def _answer(
        self, request: rpc.StreamSendMessagesRequest
    ) -> rpc.StreamSendMessagesResponse:
        answer = rpc.StreamSendMessagesResponse(request_id=request.request_id)
        try:
            answer.results.extend((await self.SendMessages(_unary(request), None)).results)
        except Error as error:
            answer.error.CopyFrom(status.from_error(error, DOMAIN))
        return answer

    async def StreamMessages(
        self, request: rpc.StreamMessagesRequest, context: Any
    ) -> AsyncIterator[rpc.StreamMessagesResponse]:
        application = names.application_of(request.parent)
        async for events in watching.watch(self._js, application, request.run):
            yield rpc.StreamMessagesResponse(events=events)

    async def CancelMessages(
        self, request: rpc.CancelMessagesRequest, context: Any
    ) -> rpc.CancelMessagesResponse:
        application = names.application_of(request.parent)
        run = run_below(application, request.run)
        cancelled = await self._deciding.cancel(application, run, datetime.now(UTC))
        return rpc.CancelMessagesResponse(cancelled_count=cancelled)

    async def SettleMessages(
        self, request: rpc.SettleMessagesRequest, context: Any
    ) -> rpc.SettleMessagesResponse:
        application = names.application_of(request.parent)
        ids = [names.message_of(name, field="names")[1] for name in request.names]
        settled = await self._deciding.settle(application, ids, request.decision, datetime.now(UTC))
        return rpc.SettleMessagesResponse(settled_count=settled)


def _result(outcome: Answer) -> rpc.BatchSendMessagesResponse.Result:
    if isinstance(outcome, Error):
        return rpc.BatchSendMessagesResponse.Result(error=status.from_error(outcome, DOMAIN))
    return rpc.BatchSendMessagesResponse.Result(response=outcome)


def _unary(request: rpc.StreamSendMessagesRequest) -> rpc.SendMessagesRequest:
    """The same request; the fields of the two have the same numbers."""
    return rpc.SendMessagesRequest.FromString(request.SerializeToString())
