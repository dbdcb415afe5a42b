"""The carrier's two doors: SMPP for its customers, HTTP for whoever directs the play."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from mesh.smpp import Bind, Command, Limits, Session, Smsc, Status
from pydantic import BaseModel, Field, ValidationError

from localmesh.peers.carrier.behaviour import ANYBODY, Behaviour
from localmesh.peers.carrier.mailbag import Mailbag
from localmesh.peers.carrier.saying import Saying
from localmesh.peers.carrier.switch import Switch
from localmesh.peers.control import Control
from localmesh.peers.http import HttpError, Request

_SENDING_ONLY = Command.BIND_TRANSMITTER
_LIMITS = Limits(window=1000, response_timeout_seconds=10.0, enquire_link_seconds=30.0)


class Inbound(BaseModel):
    """What a phone is to say: to whom, and after how long."""

    source: str = Field(pattern=r"^\+?[0-9]{3,20}$")
    destination: str = Field(pattern=r"^\+?[0-9]{3,20}$")
    text: str = Field(max_length=5000)
    delay_seconds: float = Field(default=0.0, ge=0)


class InboundMany(BaseModel):
    """Many phones at once."""

    messages: list[Inbound] = Field(max_length=100_000)


class Cut(BaseModel):
    """How many connections to cut; all if not said."""

    count: int = Field(default=1_000_000, ge=0)


ModelT = TypeVar("ModelT", bound=BaseModel)


class Doors:
    """A carrier. Besides the calls that all peers have:

    POST /inbound {"messages": [{"source", "destination", "text", "delay_seconds"}]}
        phones say something
    POST /drop-links {"count": N}
        cuts N connections without a word, all if not said
    GET /pending
        what is under way: links, deliveries not yet acknowledged, long messages without all parts
    """

    def __init__(self, data_dir: Path) -> None:
        self._control = Control(
            data_dir,
            Behaviour(),
            {
                ("POST", "/inbound"): self._inbound,
                ("POST", "/drop-links"): self._drop_links,
                ("GET", "/pending"): self._pending,
            },
        )
        self._mailbag = Mailbag(self._control.journal)
        self._switch = Switch(self._control, self._mailbag)
        self._carriers: set[asyncio.Task[None]] = set()
        self._smsc = Smsc(
            authenticate=self._authenticate,
            submitted=self._switch.submitted,
            on_bound=self._bound,
            system_id="localcarrier",
            limits=_LIMITS,
        )

    async def start(self, port: int = 0, control_port: int = 0) -> dict[str, int]:
        """Opens both doors; returns their ports by name."""
        return {
            "smpp": await self._smsc.start(port=port),
            "control": await self._control.start(control_port),
        }

    async def stop(self) -> None:
        """Unbinds everybody and closes both doors."""
        self._mailbag.postbox.close()
        await self._smsc.close(grace_seconds=1.0)
        if self._carriers:
            await asyncio.wait(self._carriers)
        await self._control.stop()

    def _authenticate(self, bind: Bind) -> Status:
        status = self._verdict(bind)
        self._control.journal.append("bind", system_id=bind.system_id, status=status.name)
        return status

    def _verdict(self, bind: Bind) -> Status:
        behaviour = self._control.behaviour
        if behaviour.bind_status != Status.ESME_ROK:
            return behaviour.bind_status
        accounts = behaviour.accounts
        password = accounts.get(bind.system_id, accounts.get(ANYBODY))
        if password is None:
            return Status.ESME_RINVSYSID
        return Status.ESME_ROK if password == bind.password else Status.ESME_RINVPASWD

    def _bound(self, session: Session) -> None:
        """What waited for a bind goes out at once."""
        if session.bind is not None and session.bind.command != _SENDING_ONLY:
            task = asyncio.create_task(self._mailbag.postbox.serve(session))
            self._carriers.add(task)
            task.add_done_callback(self._carriers.discard)

    async def _inbound(self, request: Request) -> dict[str, int]:
        many = _parsed(InboundMany, request)
        for said in many.messages:
            saying = Saying(said.source, said.destination, said.text)
            self._switch.say(saying, said.delay_seconds)
        return {"said": len(many.messages)}

    async def _drop_links(self, request: Request) -> dict[str, int]:
        dropped = self._smsc.sessions[: _parsed(Cut, request).count]
        for session in dropped:
            session.drop("told to cut the link")
        return {"dropped": len(dropped)}

    async def _pending(self, _: Request) -> dict[str, Any]:
        return {
            "links": len(self._smsc.sessions),
            "deliveries": len(self._mailbag.postbox),
            "incomplete": self._switch.incomplete,
        }


def _parsed(model: type[ModelT], request: Request) -> ModelT:
    try:
        return model.model_validate(request.body or {})
    except ValidationError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from None
