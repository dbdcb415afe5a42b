"""The half of a session that answers: binds, questions, and requests for the handler."""

from collections.abc import Callable, Sequence
from typing import cast

from mesh.smpp import codec
from mesh.smpp.framing import Frame
from mesh.smpp.inbox import Handle, Inbox, Reply, Request
from mesh.smpp.limits import Limits
from mesh.smpp.pdu import RESPONSE_BIT, Bind, BindResp, Command
from mesh.smpp.role import Role
from mesh.smpp.status import Status
from mesh.smpp.tlv import FieldError
from mesh.smpp.wire import Wire

_BINDS = frozenset({Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER})


class Answering:
    """Answers each request of the peer exactly once, whatever its body holds.

    `bind` is what the session is bound as. `on_bound` is called when the peer has bound, once the
    answer is queued; `end` when the conversation is over.
    """

    def __init__(
        self,
        role: Role,
        handle: Handle,
        limits: Limits,
        wire: Wire,
        *,
        on_bound: Callable[[], None],
        end: Callable[[str], None],
    ) -> None:
        self._role = role
        self._wire = wire
        self._on_bound = on_bound
        self._end = end
        self._inbox = Inbox(
            handle,
            self._reply,
            failed=role.failed,
            batch_max=limits.batch_max,
            waiting_max=limits.waiting_max,
        )
        self._is_closing = False
        self.bind: Bind | None = None

    def take(self, frame: Frame) -> None:
        """Answers a request, or queues it for the handler."""
        command, sequence = frame.command, frame.sequence
        if command == self._role.serves:
            self._take_over(frame)
        elif command == Command.ENQUIRE_LINK:
            self.answer(Command.ENQUIRE_LINK_RESP, sequence)
        elif command == Command.UNBIND:
            self.answer(Command.UNBIND_RESP, sequence)
            self._end("the peer unbound")
        elif command in _BINDS and self._role.authenticate is not None:
            self._take_bind(frame, self._role.authenticate)
        else:
            self.answer(Command.GENERIC_NACK, sequence, Status.ESME_RINVCMDID)

    def answer(self, command: int, sequence: int, status: int = Status.ESME_ROK) -> None:
        """Queues a response without a body."""
        self._wire.write(codec.encode_header(command, sequence, status))

    async def finish(self) -> None:
        """Takes nothing more, and returns when everything taken has been handed over."""
        self._is_closing = True
        await self._inbox.idle()

    def forget(self) -> None:
        """Drops what waits: the link is gone, and the peer keeps what was not answered."""
        self._inbox.drop_waiting()

    def _take_over(self, frame: Frame) -> None:
        refusal = self._refusal(frame)
        if refusal is not None:
            self.answer(frame.command | RESPONSE_BIT, frame.sequence, refusal)

    def _refusal(self, frame: Frame) -> Status | None:
        if self.bind is None or self.bind.command not in self._role.allowed_binds:
            return Status.ESME_RINVBNDSTS
        try:
            pdu = codec.decode(frame.command, frame.body)
        except FieldError as error:
            return error.status
        if self._is_closing or not self._inbox.put(Request(frame.sequence, pdu)):
            return self._role.busy
        return None

    def _reply(self, answered: Sequence[tuple[Request, Reply]]) -> None:
        """A refusal has no body (SMPP 3.4, 4.4.2)."""
        response = self._role.response
        for request, reply in answered:
            if reply.status == Status.ESME_ROK:
                self._wire.write(codec.encode(response(reply.message_id), request.sequence))
            else:
                self.answer(response.command, request.sequence, reply.status)
        self._wire.flush_soon()

    def _take_bind(self, frame: Frame, authenticate: Callable[[Bind], Status]) -> None:
        response = frame.command | RESPONSE_BIT
        if self.bind is not None:
            self.answer(response, frame.sequence, Status.ESME_RALYBND)
            return
        try:
            bind = cast(Bind, codec.decode(frame.command, frame.body))
            status = authenticate(bind)
        except FieldError as error:
            status = error.status
        if status == Status.ESME_ROK:
            self.bind = bind
            accepted = BindResp(self._role.system_id, command=Command(response))
            self._wire.write(codec.encode(accepted, frame.sequence))
            self._on_bound()
        else:
            self.answer(response, frame.sequence, status)
            self._end("the bind was refused")
