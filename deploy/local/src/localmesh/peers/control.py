"""The control door of a peer: read what it saw, tell it how to misbehave."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from localmesh.peers.http import Handler, HttpError, JsonServer, Request
from localmesh.peers.journal import Journal

LOOPBACK = "127.0.0.1"
_PAGE_ENTRIES = 10_000

BehaviourT = TypeVar("BehaviourT", bound=BaseModel)


class Control(Generic[BehaviourT]):
    """Journal, behaviour and the HTTP calls on them:

    GET /log?after=N&limit=M   {"entries": [...], "next": N}; ask again with after=next
    GET /count                 {"kind": number of entries, ...}
    GET /behaviour             the behaviour in force
    POST /behaviour {...}      change the fields that are named, keep the others
    DELETE /behaviour          back to the beginning

    `behaviour` is a pydantic model with a default for every field; read it anew for every decision.
    `routes` adds the peer's own calls.
    """

    def __init__(
        self,
        data_dir: Path,
        behaviour: BehaviourT,
        routes: dict[tuple[str, str], Handler] | None = None,
    ) -> None:
        self.journal = Journal(data_dir / "journal.jsonl")
        self.behaviour = behaviour
        self._first_behaviour = behaviour
        self._changed = asyncio.Event()
        self._server = JsonServer(
            {
                ("GET", "/log"): self._log,
                ("GET", "/count"): self._count,
                ("GET", "/behaviour"): self._get_behaviour,
                ("POST", "/behaviour"): self._change_behaviour,
                ("DELETE", "/behaviour"): self._reset_behaviour,
                **(routes or {}),
            }
        )

    async def start(self, port: int = 0, host: str = LOOPBACK) -> int:
        """Open the door; its port."""
        return await self._server.start(host, port)

    async def stop(self) -> None:
        """Close the door and the journal."""
        await self._server.stop()
        self.journal.close()

    async def unchanged_for(self, seconds: float) -> None:
        """Wait so long, but no longer than until the behaviour is changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _log(self, request: Request) -> dict[str, Any]:
        after = _whole_number(request, "after", 0)
        limit = min(_whole_number(request, "limit", _PAGE_ENTRIES), _PAGE_ENTRIES)
        entries = self.journal.read(after, limit)
        return {"entries": entries, "next": entries[-1]["sequence"] if entries else after}

    async def _count(self, request: Request) -> dict[str, int]:
        return dict(self.journal.counts)

    async def _get_behaviour(self, request: Request) -> dict[str, Any]:
        return self.behaviour.model_dump(mode="json")

    async def _change_behaviour(self, request: Request) -> dict[str, Any]:
        model = type(self.behaviour)
        changes = request.body
        if not isinstance(changes, dict) or (unknown := changes.keys() - model.model_fields.keys()):
            known = ", ".join(model.model_fields)
            what = f"unknown: {', '.join(sorted(unknown))}" if isinstance(changes, dict) else "none"
            raise HttpError(HTTPStatus.BAD_REQUEST, f"give an object with {known}; {what}")
        try:
            self._behave(model.model_validate({**self.behaviour.model_dump(), **changes}))
        except ValidationError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from None
        return await self._get_behaviour(request)

    async def _reset_behaviour(self, request: Request) -> dict[str, Any]:
        self._behave(self._first_behaviour)
        return await self._get_behaviour(request)

    def _behave(self, behaviour: BehaviourT) -> None:
        self.behaviour = behaviour
        self._changed.set()
        self._changed = asyncio.Event()


def _whole_number(request: Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, str(otherwise))
    if not text.isdecimal():
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{name} is not a whole number: {text!r}")
    return int(text)
