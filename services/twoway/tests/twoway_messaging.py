"""messaging as this room sees it: takes sends, dedupes by request id, can be away."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from heliograph.messaging.v1 import message_pb2
from heliograph.messaging.v1 import message_service_pb2 as pb
from mesh.errors import DeadlineExceeded, Error, ResourceExhausted
from mesh.rpc.status import from_error

SERVICE = pb.DESCRIPTOR.services_by_name["MessageService"].full_name


class MessageServicer:
    """Speaks the real contract; `requests` holds what was accepted, once each.

    `calls` counts every call; `failures` are raised by the next calls, one each, and `refusals`
    are answered to the next sends; with `answer_lost`, a call is accepted and then fails. Each call
    that has a `spoiling` text fails. What is in `meanwhile` happens between the acceptance and the
    answer of the next calls, one each.

    `answered` says which message the next text of a person answers, `ledger` is what was sent to
    anybody, and while `away`, or with a `refusal`, nothing is said of either.
    """

    def __init__(self) -> None:
        self.requests: dict[str, pb.SendMessagesRequest] = {}
        self.calls = 0
        self.failures: list[Error] = []
        self.refusals: list[Error] = []
        self.spoiling: set[str] = set()
        self.answer_lost: list[Error] = []
        self.meanwhile: list[Callable[[], Awaitable[None]]] = []
        self.answered: dict[str, pb.FindAnsweredMessagesResponse.AnsweredMessage] = {}
        self.ledger: list[message_pb2.Message] = []
        self.away = False
        self.refusal: Error | None = None

    async def SendMessages(
        self, request: pb.SendMessagesRequest, context: Any
    ) -> pb.SendMessagesResponse:
        [outcome] = await self._take([request])
        if isinstance(outcome, Error):
            raise outcome
        return outcome

    async def BatchSendMessages(
        self, request: pb.BatchSendMessagesRequest, context: Any
    ) -> pb.BatchSendMessagesResponse:
        return pb.BatchSendMessagesResponse(
            results=[_result(outcome) for outcome in await self._take(request.requests)]
        )

    async def _take(
        self, sends: Iterable[pb.SendMessagesRequest]
    ) -> list[pb.SendMessagesResponse | Error]:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        taken = list(sends)
        if self.spoiling & {send.content.sms.body for send in taken}:
            raise ResourceExhausted("MESSAGE_TOO_LARGE", "the call is too large")
        outcomes = [self._outcome(send) for send in taken]
        if self.answer_lost:
            raise self.answer_lost.pop(0)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return outcomes

    def _outcome(self, send: pb.SendMessagesRequest) -> pb.SendMessagesResponse | Error:
        if self.refusals:
            return self.refusals.pop(0)
        kept = self.requests.setdefault(send.request_id, send)
        assert kept == send, "the same request id means the same messages"
        return pb.SendMessagesResponse(
            results=[
                pb.SendResult(
                    message=f"{send.parent}/messages/{send.request_id}-{position}",
                    state=message_pb2.Message.ACCEPTED,
                )
                for position, _ in enumerate(send.recipients)
            ]
        )

    async def FindAnsweredMessages(
        self, request: pb.FindAnsweredMessagesRequest, context: Any
    ) -> pb.FindAnsweredMessagesResponse:
        self._refuse_away()
        nothing = pb.FindAnsweredMessagesResponse.AnsweredMessage()
        return pb.FindAnsweredMessagesResponse(
            answered_messages=[
                self.answered.get(text.source_address, nothing) for text in request.texts
            ]
        )

    async def ListThreadMessages(
        self, request: pb.ListThreadMessagesRequest, context: Any
    ) -> pb.ListThreadMessagesResponse:
        self._refuse_away()

        def nanoseconds(message: message_pb2.Message) -> int:
            return int(message.send_time.ToNanoseconds())

        meant = [
            message
            for message in self.ledger
            if message.address == request.address
            and message.origination_identity == request.origination_identity
            and request.start_time.ToNanoseconds() <= nanoseconds(message)
            and nanoseconds(message) < (request.end_time.ToNanoseconds() or 2**63)
        ]
        meant.sort(key=nanoseconds, reverse=not request.oldest_first)
        begin = int(request.page_token or 0)
        end = begin + request.page_size
        return pb.ListThreadMessagesResponse(
            messages=meant[begin:end], next_page_token=str(end) if len(meant) > end else ""
        )

    def _refuse_away(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.away:
            raise DeadlineExceeded("AWAY", "nobody answers")

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Address and text of everything accepted, in order."""
        return [
            (recipient.address.address, request.content.sms.body)
            for request in self.requests.values()
            for recipient in request.recipients
        ]


def _result(
    outcome: pb.SendMessagesResponse | Error,
) -> pb.BatchSendMessagesResponse.Result:
    if isinstance(outcome, Error):
        error = from_error(outcome, "heliograph.messaging.v1")
        return pb.BatchSendMessagesResponse.Result(error=error)
    return pb.BatchSendMessagesResponse.Result(response=outcome)
